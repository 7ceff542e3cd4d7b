// Sweep: how many clips would survive at other thresholds -> three knobs, a number and a table.
"use strict";
{
  const { el } = mobius;
  const KNOBS = [
    ["min_frames", "Frames at least", (value) => mobius.count(value)],
    ["max_text_area", "Text at most", (value) => mobius.percent(value)],
    ["min_label_count", "Label seen at least", (value) => `${mobius.count(value)} ×`],
  ];
  let page;
  let values;
  const chosen = {};

  const rowAt = (at) => page.sweep.find((row) => KNOBS.every(([name]) => row[name] === at[name]));

  const result = () => {
    const now = rowAt(chosen);
    const set = rowAt(page.select);
    const change = now.num_samples - set.num_samples;
    const words = KNOBS.every(([name]) => chosen[name] === page.select[name])
      ? "as the thresholds are set"
      : `${change < 0 ? "−" : "+"}${mobius.count(Math.abs(change))} against the thresholds as they are set`;
    mobius.byId("sweep-result").replaceChildren(
      el("b", {}, mobius.count(now.num_samples)),
      el("span", {}, `clip${now.num_samples === 1 ? "" : "s"} of ${mobius.count(now.num_labels)} label${now.num_labels === 1 ? "" : "s"}`),
      el("span", { class: "muted" }, words));
  };

  const heat = () => {
    const most = Math.max(1, ...page.sweep.map((row) => row.num_samples));
    const cell = (frames, count) => {
      const at = { ...chosen, min_frames: frames, min_label_count: count };
      const { num_samples: num } = rowAt(at);
      const isSet = KNOBS.every(([name]) => at[name] === page.select[name]);
      const isNow = KNOBS.every(([name]) => at[name] === chosen[name]);
      const td = el("td", { class: [isSet ? "set" : "", isNow ? "now" : ""].join(" ").trim() || null, "aria-current": isNow ? "true" : null }, mobius.count(num));
      td.style.setProperty("--heat", num / most);
      return td;
    };
    mobius.byId("heat").replaceChildren(
      el("caption", { class: "hidden" }, `Clips at text of at most ${mobius.percent(chosen.max_text_area)}: a row per least number of frames, a column per least label count`),
      el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "frames \\ label"), values.min_label_count.map((count) => el("th", { scope: "col" }, `${mobius.count(count)} ×`)))),
      el("tbody", {}, values.min_frames.map((frames) => el("tr", {}, el("th", { scope: "row" }, `${frames}+`), values.min_label_count.map((count) => cell(frames, count))))));
  };

  const knob = ([name, title, words]) => {
    const shown = el("b", {}, words(chosen[name]));
    const input = el("input", { type: "range", min: 0, max: values[name].length - 1, step: 1, value: values[name].indexOf(chosen[name]), "aria-valuetext": words(chosen[name]), "aria-label": title });
    input.addEventListener("input", () => {
      chosen[name] = values[name][Number(input.value)];
      shown.textContent = words(chosen[name]);
      input.setAttribute("aria-valuetext", words(chosen[name]));
      result();
      heat();
    });
    return el("label", { class: "knob" }, el("span", {}, title, " ", shown), input);
  };

  mobius.sweep = {
    async start() {
      page = await mobius.provider.page;
      const ascending = (name) => [...new Set(page.sweep.map((row) => row[name]))].sort((a, b) => a - b);
      values = Object.fromEntries(KNOBS.map(([name]) => [name, ascending(name)]));
      for (const [name] of KNOBS) chosen[name] = page.select[name];
      mobius.byId("knobs").replaceChildren(...KNOBS.map(knob));
      result();
      heat();
    },
  };
}
