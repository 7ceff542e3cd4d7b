// Sample: one sample in a dialog: before and after, what was read, what was said, and why it was kept or not.
"use strict";
{
  const { el, foreign } = mobius;
  const KEY = /^[0-9a-f]{32}$/;
  const KINDS = { picture: "Picture", motion: "Motion", summary: "Summary" };
  const dialog = mobius.byId("sample");
  const BOX = 330;
  let page;
  let current = null;
  let opener = null;

  const pairs = (rows) =>
    el("dl", { class: "pairs" }, rows.filter(([, value]) => value !== null && value !== undefined && value !== "")
      .flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));

  const pane = (title, sample, view, alt) =>
    el("figure", { class: "pane" }, el("figcaption", {}, title), mobius.picture(sample, view, { box: BOX, alt, isLazy: false }));

  const panes = (sample) => {
    const described = sample.captions[0]?.en ?? sample.path;
    if (!sample.pictures.mask) return el("div", { class: "panes one" }, pane(sample.pictures.still ? "As found" : "Not shown: its bytes were not decoded", sample, "found", `As found: ${described}`));
    const isCleaned = Boolean(sample.pictures.cleaned);
    return el("div", { class: "panes" },
      pane("As found", sample, "found", `As found: ${described}`),
      pane("Mask", sample, "mask", "As found, with what was painted over in colour"),
      isCleaned
        ? pane("Cleaned", sample, "cleaned", `Without its text: ${described}`)
        : pane(`Not cleaned: ${mobius.plain(sample.clean?.clean_reason)}`, sample, "found", "The original was kept"));
  };

  const verdict = (sample) => {
    const { title, detail } = page.outcomes[sample.outcome];
    const means = page.reasons[sample.out_reason] ?? "";
    const where = sample.out_stage && sample.outcome !== "both" ? page.stages[sample.out_stage] ?? sample.out_stage : "";
    return [
      el("p", { class: "verdict" }, mobius.dot(sample.outcome), el("span", {}, el("b", {}, title), el("span", { class: "muted" }, `, ${detail}`))),
      sample.out_reason
        ? el("p", {}, el("b", {}, mobius.plain(sample.out_reason)), means ? `: ${means.charAt(0).toLowerCase()}${means.slice(1)}` : "",
            el("span", { class: "muted" }, where ? ` (${where})` : ""), ".")
        : null,
      sample.detail ? foreign(sample.detail, "p", { class: "detail" }) : null,
      sample.duplicate_of ? el("p", {}, el("a", { href: `#${sample.duplicate_of}` }, "The file it is a copy of")) : null,
      sample.head ? el("p", { class: "muted" }, "Its first bytes: ", el("code", {}, sample.head || "none")) : null,
    ];
  };

  const rules = (sample) => {
    const found = mobius.rules(sample, page);
    if (!found.length) return null;
    return el("ul", { class: "rules" }, found.map(({ isKept, text }) =>
      el("li", {}, el("span", { class: isKept ? "mark-yes" : "mark-no", "aria-hidden": "true" }, isKept ? "✓" : "✗"),
        el("span", {}, el("span", { class: "hidden" }, isKept ? "Kept: " : "Not kept: "), text))));
  };

  const captions = (sample) =>
    el("div", { class: "captions" }, sample.captions.map(({ kind, en, zh, model, translator }) =>
      el("div", {},
        el("h4", {}, KINDS[kind] ?? kind),
        foreign(en, "p", { lang: "en" }),
        zh ? foreign(zh, "p", { lang: "zh-Hans" }) : null,
        el("small", {}, foreign([model, zh ? translator : null].filter(Boolean).join(", ")))))); 

  const texts = (sample) => {
    if (!sample.text) return [el("p", { class: "muted" }, "Not read.")];
    if (!sample.text.tracks.length) return [el("p", { class: "muted" }, "None found.")];
    return [el("ul", { class: "read" }, sample.text.tracks.map((track) =>
      el("li", {}, foreign(track.text, "span", { lang: track.language === "zh" ? "zh-Hans" : null }),
        el("small", { class: "num" }, `frames ${track.frames[0] + 1}–${track.frames[1] + 1}, ${Math.round(track.score * 100)} %`))))];
  };

  const facts = (sample) => {
    const probe = sample.probe ?? {};
    const clean = sample.clean ?? {};
    const quality = sample.quality ?? {};
    const loop = quality.is_ping_pong ? "there and back" : quality.num_periods > 1 ? `${mobius.count(quality.num_periods)} equal rounds` : "one round";
    const seam = quality.seam_error > 0 ? `, seam ${Math.round(100 * quality.seam_error) / 100}` : ", without a seam";
    const painted = clean.masked_pixels
      ? `${mobius.count(clean.masked_pixels)} pixels: ${mobius.percent(clean.recovered_pixels / clean.masked_pixels)} from other frames, ` +
        `${mobius.percent(clean.flat_pixels / clean.masked_pixels)} flat, ${mobius.percent(clean.invented_pixels / clean.masked_pixels)} invented`
      : null;
    return pairs([
      ["Path", foreign(sample.path, "code")],
      ["Labels", sample.labels.length ? el("span", {}, sample.labels.flatMap((label, place) => [place ? ", " : null, el("a", { href: `#gallery?label=${encodeURIComponent(label)}` }, foreign(label))])) : null],
      ["Format", probe.format ? `${probe.format}, ${probe.width} × ${probe.height}${probe.has_alpha ? ", see-through" : ""}` : null],
      ["Size", mobius.size(sample.size_bytes)],
      ["Frames", probe.num_frames ? `${mobius.count(probe.num_frames)}, ${mobius.count(probe.num_distinct_frames)} distinct` : null],
      ["Duration", probe.num_frames > 1 ? mobius.duration(probe.duration_ms) : null],
      ["Motion", probe.num_frames > 1 ? mobius.percent(probe.motion_score) : null],
      ["Loop", probe.num_frames > 1 && sample.quality ? loop + seam : null],
      ["Flashes", quality.max_flashes_per_second ? `${quality.max_flashes_per_second} in the worst second` : null],
      ["Drawing", quality.style ? quality.style + (quality.sharpness === null ? "" : `, sharpness ${Math.round(100 * quality.sharpness) / 100}`) : null],
      ["Text area", sample.text ? mobius.percent(sample.text.area) : null],
      ["Painted over", painted],
      ["Left over", clean.residual_text ? foreign(clean.residual_text) : null],
      ["Warnings", probe.warnings?.length ? probe.warnings.map(mobius.plain).join(", ") : null],
      ["Work", Object.entries(sample.seconds).map(([stage, took]) => `${page.stages[stage] ?? stage} ${mobius.duration(Math.round(took * 1000))}`).join(", ")],
      ["Source", foreign(sample.source)],
      ["Further columns", sample.extra && sample.extra !== "{}" ? foreign(sample.extra, "code") : null],
      ["Key", el("code", {}, sample.key)],
    ]);
  };

  const step = async (by) => {
    const key = current && (await mobius.gallery.neighbour(current, by));
    if (key) location.hash = key;
  };

  const render = (sample) => {
    const motion = el("button", { type: "button", class: "quiet", onclick: () => mobius.motion.set(!mobius.motion.isMoving) });
    mobius.motion.label(motion);
    const button = (name, sign, onclick) => el("button", { type: "button", class: "quiet icon", "aria-label": name, title: name, onclick }, el("span", { "aria-hidden": "true" }, sign));
    dialog.replaceChildren(
      el("div", { class: "sample-head" },
        el("h2", { id: "sample-title" }, foreign(sample.label ?? "no label")),
        motion, button("Previous", "←", () => step(-1)), button("Next", "→", () => step(1)), button("Close", "×", () => dialog.close())),
      el("div", { class: "sample-body" },
        panes(sample),
        el("div", { class: "sample-columns" },
          el("div", {}, sample.captions.length ? [el("h3", {}, "What was said"), captions(sample)] : null, el("h3", {}, "Text in the picture"), texts(sample)),
          el("div", {}, el("h3", {}, "Why"), verdict(sample), rules(sample), el("h3", {}, "Facts"), facts(sample)))));
  };

  const follow = async () => {
    const key = location.hash.slice(1);
    if (!KEY.test(key)) {
      if (dialog.open) dialog.close();
      return;
    }
    const sample = await mobius.provider.get(key);
    if (location.hash.slice(1) !== key) return; // closed or gone on meanwhile
    if (!sample) {
      mobius.byId("missing").textContent = `The file ${key} is not among those on this page.`;
      mobius.byId("missing").hidden = false;
      mobius.byId("gallery").scrollIntoView();
      return;
    }
    mobius.byId("missing").hidden = true;
    current = key;
    dialog.dataset.key = key;
    render(sample);
    if (!dialog.open) {
      opener = document.activeElement;
      dialog.showModal();
      dialog.querySelector('[aria-label="Close"]').focus();
    }
    dialog.scrollTop = 0;
  };

  mobius.sample = {
    async start() {
      page = await mobius.provider.page;
      dialog.addEventListener("close", () => {
        if (KEY.test(location.hash.slice(1))) mobius.gallery.restoreHash();
        const tile = current && document.querySelector(`#tiles [data-key="${current}"]`);
        (tile ?? opener)?.focus({ preventScroll: !tile });
        dialog.replaceChildren();
        current = null;
      });
      dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
      dialog.addEventListener("keydown", (event) => {
        if (event.key === "ArrowRight") step(1);
        if (event.key === "ArrowLeft") step(-1);
      });
      addEventListener("hashchange", follow);
      await follow();
    },
  };
}
