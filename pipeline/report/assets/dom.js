// Dom: names, attributes and texts -> elements. Texts are always text: nothing in these scripts parses HTML.
"use strict";
const mobius = {};

mobius.el = (name, attributes = {}, ...children) => {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? "" : String(value));
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
};

mobius.byId = (id) => document.getElementById(id);

// A text from outside: of any language and direction, not to be translated by the browser.
mobius.foreign = (text, name = "bdi", attributes = {}) => mobius.el(name, { dir: "auto", translate: "no", ...attributes }, String(text));

const counts = new Intl.NumberFormat("en");
mobius.count = (number) => counts.format(number);
mobius.files = (number) => `${mobius.count(number)} ${number === 1 ? "file" : "files"}`;
mobius.percent = (part) => (part > 0 && part < 0.001 ? "< 0.1 %" : `${+(part * 100).toPrecision(part < 0.1 ? 2 : 3)} %`);
mobius.plain = (code) => String(code ?? "").replaceAll("_", " ");
mobius.dot = (kind) => mobius.el("i", { class: `dot ${kind}`, "aria-hidden": "true" });

mobius.size = (bytes) => {
  const units = ["bytes", "kB", "MB", "GB"];
  let power = 0;
  while (bytes >= 1000 && power < units.length - 1) {
    bytes /= 1000;
    power += 1;
  }
  return `${+bytes.toPrecision(3)} ${units[power]}`;
};

mobius.duration = (ms) => (ms < 1000 ? `${ms} ms` : `${+(ms / 1000).toPrecision(3)} s`);
