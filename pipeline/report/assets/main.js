// Main: starts every part of the page, and what belongs to none of them: theme, place in the page, the first strip.
"use strict";
{
  const THEMES = { "": ["as the system", "◐"], light: ["light", "☀"], dark: ["dark", "☾"] };

  const startTheme = () => {
    const button = mobius.byId("theme");
    const root = document.documentElement;
    const show = () => {
      const [words, sign] = THEMES[root.dataset.theme ?? ""];
      button.setAttribute("aria-label", `Theme: ${words}`);
      button.title = `Theme: ${words}`;
      button.firstElementChild.textContent = sign;
    };
    button.addEventListener("click", () => {
      const names = Object.keys(THEMES);
      const next = names[(names.indexOf(root.dataset.theme ?? "") + 1) % names.length];
      if (next) root.dataset.theme = next;
      else delete root.dataset.theme;
      try {
        localStorage.setItem("mobius-theme", next);
      } catch {
        // Not kept; the choice lasts as long as the page.
      }
      show();
    });
    show();
  };

  const startPlace = () => {
    const links = new Map([...document.querySelectorAll(".sections a")].map((link) => [link.hash.slice(1), link]));
    const sections = [...document.querySelectorAll("main > section")];
    const mark = () => {
      const line = innerHeight * 0.3;
      const isAtEnd = scrollY + innerHeight >= document.documentElement.scrollHeight - 2;
      const here = isAtEnd ? sections.at(-1) : (scrollY > 8 && sections.findLast((section) => section.getBoundingClientRect().top <= line)) || sections[0];
      for (const [name, link] of links) {
        if (name === here.id && !link.hasAttribute("aria-current")) {
          link.setAttribute("aria-current", "true");
          link.parentElement.scrollTo({ left: link.offsetLeft - 12 });
        } else if (name !== here.id) link.removeAttribute("aria-current");
      }
    };
    let isAsked = false;
    addEventListener("scroll", () => {
      if (isAsked) return;
      isAsked = true;
      requestAnimationFrame(() => {
        isAsked = false;
        mark();
      });
    }, { passive: true });
    mark();
  };

  const startStrip = async () => {
    const page = await mobius.provider.page;
    const { samples } = await mobius.provider.query({ outcome: "both" }, 0, 400);
    const sharp = samples.filter((sample) => sample.pictures.found && Math.min(sample.probe.width, sample.probe.height) >= 48);
    const picked = (sharp.length >= 8 ? sharp : samples.filter((sample) => sample.pictures.found)).slice(0, 14);
    mobius.byId("strip").replaceChildren(...picked.map((sample) => mobius.tile(sample, page, { box: 92, open: mobius.gallery.open, isBare: true, view: "cleaned" })));
  };

  const start = async () => {
    mobius.drawBars();
    startTheme();
    startPlace();
    mobius.gallery.open = (key) => {
      location.hash = key;
    };
    addEventListener("hashchange", () => mobius.gallery.follow());
    await mobius.gallery.start();
    await startStrip();
    mobius.labels.start();
    mobius.sweep.start();
    mobius.groups.start();
    mobius.sample.start();
    await mobius.provider.loadRest();
    document.documentElement.dataset.ready = "true";
  };
  document.addEventListener("DOMContentLoaded", start);
}
