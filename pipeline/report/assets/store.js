// Store: the samples of this page, and the questions that the page asks about them.
//
// Everything that shows samples asks `mobius.provider`: `page`, `query`, `get`, `facets`, `onGrowth`. This one answers from
// files that are loaded as scripts, because a page on a disk may load nothing else; a server may put another in its place.
"use strict";
{
  const SORTS = {
    "": (a, b) => a.mixed - b.mixed,
    order: (a, b) => a.order - b.order,
    motion: (a, b) => (b.probe?.motion_score ?? -1) - (a.probe?.motion_score ?? -1),
    area: (a, b) => (b.text?.area ?? -1) - (a.text?.area ?? -1),
    frames: (a, b) => (b.probe?.num_frames ?? -1) - (a.probe?.num_frames ?? -1),
    size: (a, b) => b.size_bytes - a.size_bytes,
  };
  const samples = [];
  const byKey = new Map();
  const listeners = [];
  let numChunks = 0;
  let setPage;
  let setAll;
  const whenAll = new Promise((resolve) => (setAll = resolve));

  const reasonsOf = (sample) => [...new Set([sample.why, sample.t2v_reason].filter(Boolean))];
  const stagesOf = (sample) => {
    const stages = [];
    if (sample.fate !== "exported") stages.push(sample.stage);
    if (sample.t2v_fate !== "exported") stages.push(sample.t2v_stage);
    return [...new Set(stages)];
  };
  const haystack = (sample) =>
    [sample.key, sample.path, ...sample.labels, sample.label, sample.text?.text, sample.detail, ...reasonsOf(sample),
      ...sample.captions.flatMap((each) => [each.en, each.zh])].filter(Boolean).join("\n").toLowerCase();

  const FACETS = {
    outcome: (sample) => [sample.outcome],
    reason: reasonsOf,
    stage: stagesOf,
    clean: (sample) => (sample.clean ? [sample.clean.clean_outcome] : []),
    label: (sample) => (sample.labels.length ? sample.labels : [sample.label].filter(Boolean)),
  };

  const passes = (sample, filters, without) => {
    for (const [name, values] of Object.entries(FACETS)) {
      if (name !== without && filters[name] && !values(sample).includes(filters[name])) return false;
    }
    return !filters.q || filters.q.toLowerCase().split(/\s+/).every((word) => sample.haystack.includes(word));
  };

  const receivers = {
    page: (page) => setPage(page),
    samples: (chunk) => {
      for (const sample of chunk) {
        sample.haystack = haystack(sample);
        samples.push(sample);
        byKey.set(sample.key, sample);
      }
      numChunks += 1;
      listeners.forEach((listener) => listener());
    },
  };
  mobius.receive = (name, value) => receivers[name](value);

  const load = (source) =>
    new Promise((resolve, reject) => {
      const script = mobius.el("script", { src: source, onload: resolve, onerror: () => reject(new Error(source)) });
      document.head.append(script);
    });

  mobius.provider = {
    page: new Promise((resolve) => (setPage = resolve)),
    onGrowth: (listener) => listeners.push(listener),
    whenAll,
    async loadRest() {
      const { num_chunks: total } = await this.page;
      for (let number = 1; number < total; number += 1) await load(`data/samples-${number}.js`);
      setAll();
      listeners.forEach((listener) => listener());
    },
    async query(filters, first, count) {
      const found = samples.filter((sample) => passes(sample, filters)).sort(SORTS[filters.sort] ?? SORTS[""]);
      const { num_chunks: total } = await this.page;
      return { total: found.length, samples: found.slice(first, first + count), isComplete: numChunks >= total };
    },
    async get(key) {
      if (!byKey.has(key)) await whenAll;
      return byKey.get(key);
    },
    async facets(filters, name) {
      const found = new Map();
      for (const sample of samples) {
        if (!passes(sample, filters, name)) continue;
        for (const value of FACETS[name](sample)) found.set(value, (found.get(value) ?? 0) + 1);
      }
      return [...found].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
    },
  };
}
