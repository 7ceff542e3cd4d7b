// Thumbs: a sample -> its picture in one of three views, and the tile that opens it.
"use strict";
{
  const MEDIA = "media/";
  const MAX_GROWTH = 6;

  const describe = (sample) => sample.captions[0]?.en ?? sample.path;

  const picture = (sample, name, { alt, box, isLazy }) => {
    const pictures = sample.pictures;
    const still = name === "cleaned" ? null : pictures.still;
    const moving = pictures[name] ?? still;
    const image = mobius.el("img", { alt, loading: isLazy ? "lazy" : null, decoding: "async", draggable: "false" });
    image.dataset.moving = MEDIA + moving;
    image.dataset.still = MEDIA + (still ?? moving);
    const { width, height } = sample.probe ?? {};
    if (width && height) {
      // Small pictures grow by whole pixels and stay crisp; large ones are fitted by the style sheet.
      const growth = Math.max(1, Math.min(MAX_GROWTH, Math.floor(box / Math.max(width, height))));
      image.width = width * growth;
      image.height = height * growth;
      if (growth > 1) image.classList.add("grown");
    }
    mobius.motion.show(image);
    return image;
  };

  // The picture of a sample: view is found, mask (laid over the file as found) or cleaned.
  mobius.picture = (sample, view, { box, alt = describe(sample), isLazy = true }) => {
    const holder = mobius.el("span", { class: "pic" });
    if (!sample.pictures.still) {
      holder.classList.add("none");
      holder.append(mobius.dot("quarantined"), mobius.el("span", {}, mobius.plain(sample.out_reason) || "no picture"));
      return holder;
    }
    const isCleaned = view === "cleaned" && sample.pictures.cleaned;
    holder.append(picture(sample, isCleaned ? "cleaned" : "found", { alt, box, isLazy }));
    if (view === "mask" && sample.pictures.mask) {
      const mask = picture(sample, "mask", { alt: "", box, isLazy });
      mask.dataset.still = mask.dataset.moving;
      mobius.motion.show(mask);
      holder.append(mask);
    }
    return holder;
  };

  mobius.fateWords = (sample, page) => {
    const title = page.outcomes[sample.outcome].title;
    return sample.out_reason ? mobius.plain(sample.out_reason) : sample.outcome === "pending" ? `pending: ${mobius.plain(sample.stage)}` : title;
  };

  // The most telling caption there is, in both languages.
  const said = (sample) => {
    const caption = sample.captions.at(-1);
    if (!caption) return mobius.el("span", { class: "words muted" }, "Nothing was said.");
    return mobius.el("span", { class: "words" }, mobius.foreign(caption.en, "span", { lang: "en" }),
      caption.zh ? mobius.foreign(caption.zh, "span", { lang: "zh-Hans" }) : null);
  };

  mobius.tile = (sample, page, { view = "found", box = 148, open, isBare = false, isLazy = true, isTold = false }) => {
    const name = sample.label ?? "no label";
    const outcome = page.outcomes[sample.outcome].title;
    const words = mobius.fateWords(sample, page);
    const tile = mobius.el(
      "button",
      { type: "button", class: isBare ? "tile bare" : "tile", "data-key": sample.key, onclick: () => open(sample.key) },
      mobius.picture(sample, view, { box, isLazy }),
      mobius.el(
        "span",
        { class: "says" },
        mobius.foreign(name, "span", { class: sample.label ? "name" : "name muted" }),
        mobius.el("span", { class: "fate" }, mobius.dot(sample.outcome), mobius.el("span", {}, sample.pictures.cleaned ? `${words}, cleaned` : words),
          words === outcome ? null : mobius.el("span", { class: "hidden" }, `, ${outcome}`)),
      ),
      isTold ? said(sample) : null,
    );
    if (isBare) tile.setAttribute("aria-label", `${name}: ${describe(sample)}`);
    mobius.motion.wakeIn(tile);
    return mobius.el("li", {}, tile);
  };
}
