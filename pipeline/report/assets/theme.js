// Theme: what the reader chose before -> set before anything is painted.
"use strict";
(() => {
  try {
    const theme = localStorage.getItem("mobius-theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch {
    // A page that may not keep anything follows the system.
  }
})();
