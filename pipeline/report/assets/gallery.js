// Gallery: filters in the address -> tiles, page by page.
"use strict";
{
  const PAGE = 48;
  const NAMES = ["q", "label", "outcome", "reason", "stage", "clean", "sort"];
  const CLEAN = { no_text: "no text", cleaned: "cleaned", kept_original: "original kept" };
  const form = document.querySelector(".filters");
  const tiles = mobius.byId("tiles");
  let filters = {};
  let number = 0;
  let view = "found";
  let isTold = false;
  let page;
  let shown = "";
  let turn = 0;

  const readHash = () => {
    const [anchor, query] = location.hash.slice(1).split("?");
    return anchor === "gallery" && query !== undefined ? new URLSearchParams(query) : null;
  };

  const writeHash = () => {
    const query = new URLSearchParams(Object.entries(filters).filter(([, value]) => value));
    if (number) query.set("page", number + 1);
    const text = query.toString();
    history.replaceState(null, "", text ? `#gallery?${text}` : "#gallery");
  };

  const words = {
    outcome: (value) => page.outcomes[value]?.title ?? value,
    reason: mobius.plain,
    stage: (value) => page.stages[value] ?? mobius.plain(value),
    clean: (value) => CLEAN[value] ?? mobius.plain(value),
  };

  const fillSelects = async () => {
    for (const name of Object.keys(words)) {
      const select = form.elements[name];
      const facets = await mobius.provider.facets(filters, name);
      const values = facets.map(([value]) => value);
      if (filters[name] && !values.includes(filters[name])) facets.push([filters[name], 0]);
      const options = facets.map(([value, count]) => {
        const option = mobius.el("option", { value }, `${words[name](value)} (${mobius.count(count)})`);
        option.selected = value === filters[name];
        return option;
      });
      const any = mobius.el("option", { value: "" }, "any");
      any.selected = !filters[name];
      select.replaceChildren(any, ...options);
    }
    for (const name of ["q", "label", "sort"]) {
      if (form.elements[name] !== document.activeElement) form.elements[name].value = filters[name] ?? "";
    }
  };

  const pager = (total) => {
    const pages = Math.ceil(total / PAGE);
    const to = (target) => () => {
      number = target;
      writeHash();
      render();
      mobius.byId("gallery").scrollIntoView({ block: "start" });
    };
    const button = (name, target, isThere) =>
      mobius.el("button", { type: "button", class: "quiet", disabled: !isThere, onclick: to(target) }, name);
    mobius.byId("pager").replaceChildren(
      ...(pages > 1
        ? [button("Previous", number - 1, number > 0), mobius.el("span", {}, `Page ${number + 1} of ${mobius.count(pages)}`),
            button("Next", number + 1, number < pages - 1)]
        : []),
    );
  };

  const say = (total, isComplete) => {
    const first = number * PAGE + 1;
    const last = Math.min(total, first + PAGE - 1);
    const isFiltered = NAMES.some((name) => name !== "sort" && filters[name]);
    const range = total > PAGE ? `${mobius.count(first)}–${mobius.count(last)} of ` : "";
    const text = total ? `${range}${mobius.files(total)}${isFiltered ? " match" : ""}` : "No file matches.";
    mobius.byId("found").textContent = isComplete ? text : `${text}, loading more …`;
    mobius.byId("clear").hidden = !isFiltered;
  };

  const render = async () => {
    turn += 1;
    const mine = turn;
    let answer = await mobius.provider.query(filters, number * PAGE, PAGE);
    if (number && !answer.samples.length && answer.isComplete) {
      number = Math.max(0, Math.ceil(answer.total / PAGE) - 1);
      answer = await mobius.provider.query(filters, number * PAGE, PAGE);
    }
    if (mine !== turn) return; // asked again meanwhile
    const wanted = `${view} ${isTold} ${answer.samples.map((sample) => sample.key).join(" ")}`;
    if (wanted !== shown) {
      shown = wanted;
      const open = mobius.gallery.open;
      tiles.replaceChildren(...answer.samples.map((sample) => mobius.tile(sample, page, { view, open, isTold })));
    }
    say(answer.total, answer.isComplete);
    pager(answer.total);
    await fillSelects();
  };

  // What was chosen counts at once: a part of the samples that arrives now fills the lists again.
  const change = () => {
    filters = Object.fromEntries(NAMES.map((name) => [name, form.elements[name].value.trim()]));
    number = 0;
    writeHash();
  };

  // Arrows go from tile to tile, as they lie on the screen.
  const move = (event) => {
    const all = [...tiles.querySelectorAll(".tile")];
    const here = all.indexOf(document.activeElement);
    if (here < 0 || event.altKey || event.ctrlKey || event.metaKey) return;
    const columns = getComputedStyle(tiles).gridTemplateColumns.split(" ").length;
    const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns };
    const target = event.key === "Home" ? 0 : event.key === "End" ? all.length - 1 : here + (steps[event.key] ?? NaN);
    if (!all[target]) return;
    event.preventDefault();
    all[target].focus();
  };

  mobius.gallery = {
    open: () => {},
    // The neighbour of a sample in what is found, for the dialog.
    async neighbour(key, step) {
      const { total } = await mobius.provider.query(filters, 0, 0);
      const { samples } = await mobius.provider.query(filters, 0, total);
      return samples[samples.findIndex((sample) => sample.key === key) + step]?.key;
    },
    restoreHash: writeHash,
    follow() {
      const query = readHash();
      if (!query) return;
      filters = Object.fromEntries(NAMES.map((name) => [name, query.get(name) ?? ""]));
      number = Math.max(0, Number.parseInt(query.get("page") ?? "1", 10) - 1) || 0;
      form.elements.label.value = filters.label;
      render().then(() => mobius.byId("gallery").scrollIntoView({ block: "start" }));
    },
    async start() {
      page = await mobius.provider.page;
      mobius.byId("label-names").replaceChildren(...page.labels.slice(0, 500).map((each) => mobius.el("option", { value: each.label })));
      let timer;
      form.addEventListener("input", () => {
        change();
        clearTimeout(timer);
        timer = setTimeout(render, 120);
      });
      form.addEventListener("submit", (event) => event.preventDefault());
      mobius.byId("clear").addEventListener("click", () => {
        form.reset();
        for (const name of NAMES) form.elements[name].value = "";
        change();
        render();
        form.elements.q.focus();
      });
      document.querySelectorAll('input[name="view"]').forEach((input) =>
        input.addEventListener("change", () => {
          view = input.value;
          render();
        }),
      );
      const button = mobius.byId("motion");
      mobius.motion.label(button);
      button.addEventListener("click", () => mobius.motion.set(!mobius.motion.isMoving));
      const told = mobius.byId("told");
      told.addEventListener("click", () => {
        isTold = !isTold;
        told.setAttribute("aria-pressed", isTold);
        tiles.classList.toggle("told", isTold);
        render();
      });
      tiles.addEventListener("keydown", move);
      mobius.provider.onGrowth(render);
      await render();
      this.follow();
    },
  };
}
