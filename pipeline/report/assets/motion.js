// Motion: whether pictures move. Who asked the system for less motion begins with stills; a button changes it.
"use strict";
{
  const wantsLess = matchMedia("(prefers-reduced-motion: reduce)");
  let isMoving = !wantsLess.matches;
  const show = (image) => {
    const wanted = isMoving || image.dataset.awake ? image.dataset.moving : image.dataset.still;
    if (wanted && image.getAttribute("src") !== wanted) image.setAttribute("src", wanted);
  };
  const showAll = () => document.querySelectorAll("img[data-still]").forEach(show);

  mobius.motion = {
    get isMoving() {
      return isMoving;
    },
    show,
    set(value) {
      isMoving = value;
      showAll();
      document.querySelectorAll("[data-motion]").forEach((button) => this.label(button));
    },
    label(button) {
      button.dataset.motion = "";
      button.textContent = isMoving ? "Pause" : "Play";
      button.setAttribute("aria-label", isMoving ? "Pause all animations" : "Play all animations");
    },
    // A still that is looked at, by pointer or focus, comes to life.
    wakeIn(element) {
      const set = (awake) => () => {
        if (isMoving) return;
        for (const image of element.querySelectorAll("img[data-still]")) {
          if (awake && !wantsLess.matches) image.dataset.awake = "1";
          else delete image.dataset.awake;
          show(image);
        }
      };
      element.addEventListener("pointerenter", set(true));
      element.addEventListener("pointerleave", set(false));
    },
  };
  wantsLess.addEventListener("change", () => mobius.motion.set(!wantsLess.matches));
}
