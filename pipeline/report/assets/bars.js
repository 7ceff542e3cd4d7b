// Bars: shares that stand in the page as numbers -> widths.
"use strict";
mobius.bar = (share) => {
  const fill = mobius.el("i");
  fill.style.width = `${Math.max(share * 100, share > 0 ? 0.6 : 0)}%`;
  return mobius.el("span", { class: "track" }, fill);
};
mobius.drawBars = () => {
  for (const fill of document.querySelectorAll("i[data-share]")) {
    const share = Number(fill.dataset.share);
    fill.style.width = `${Math.max(share * 100, share > 0 ? 0.6 : 0)}%`;
  }
  for (const part of document.querySelectorAll("i[data-grow]")) part.style.flexGrow = part.dataset.grow;
};
