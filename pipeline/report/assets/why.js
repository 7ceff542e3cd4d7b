// Why: a sample and the thresholds -> the rules in their order, and which of them it keeps.
"use strict";
mobius.rules = (sample, page) => {
  const { select } = page;
  const rules = [];
  const rule = (sets, isKept, text) => rules.push({ sets, isKept, text });
  if (!sample.probe) return rules;
  if ([sample.why, sample.t2v_reason].includes("reviewed_out")) rule("both", false, "A person rejected it");
  if (select.drop_duplicates) {
    rule("both", !sample.duplicate_of, sample.duplicate_of ? "A copy of an earlier file" : "No copy of an earlier file");
  }
  if (sample.duplicate_of) return rules;
  if (select.require_label) rule("both", sample.labels.length > 0, sample.labels.length ? "Has a label" : "Has no label");
  const frames = select.count_frames === "distinct" ? sample.probe.num_distinct_frames : sample.probe.num_frames;
  const kind = select.count_frames === "distinct" ? "distinct frame" : "frame";
  rule("t2v", frames >= select.min_frames, `${mobius.count(frames)} ${kind}${frames === 1 ? "" : "s"}; t2v wants ${select.min_frames} or more`);
  const measured = (sets, name, isKept, words) => {
    const limit = select[name], value = sample.quality?.[words.of];
    if (limit !== null && value !== null && value !== undefined) {
      rule(sets, isKept(value, limit), `${words.title} ${words.show(value)}; ${words.ask} ${words.show(limit)}`);
    }
  };
  const least = (value, limit) => value >= limit;
  const most = (value, limit) => value <= limit;
  const plainly = (value) => String(Math.round(100 * value) / 100);
  measured("both", "min_sharpness", least, { of: "sharpness", title: "Sharpness", show: plainly, ask: "at least" });
  measured("t2v", "min_moving_area", least, { of: "moving_area", title: "Moving area", show: mobius.percent, ask: "t2v wants at least" });
  measured("t2v", "max_seam_error", most, { of: "seam_error", title: "Seam of the loop", show: plainly, ask: "in t2v at most" });
  measured("t2v", "max_flashes_per_second", most, { of: "max_flashes_per_second", title: "Flashes per second", show: plainly, ask: "in t2v at most" });
  if (sample.text) {
    const t2i = select.max_text_area_t2i ?? select.max_text_area;
    const t2v = Math.min(select.max_text_area, t2i);
    const area = `Text covers ${mobius.percent(sample.text.area)} of the canvas; `;
    if (t2i === t2v) rule("both", sample.text.area <= t2i, `${area}at most ${mobius.percent(t2i)} may`);
    else {
      rule("both", sample.text.area <= t2i, `${area}in t2i at most ${mobius.percent(t2i)} may`);
      rule("t2v", sample.text.area <= t2v, `${area}in t2v at most ${mobius.percent(t2v)} may`);
    }
  }
  if (sample.labels.length) {
    const seen = sample.label_count;
    const word = sample.labels.length > 1 ? "Its most frequent label is" : "Its label is";
    const times = `${mobius.count(seen)} time${seen === 1 ? "" : "s"}`;
    rule("t2v", seen >= select.min_label_count, `${word} seen ${times} among clips that pass; t2v wants ${mobius.count(select.min_label_count)}`);
  }
  return rules;
};
