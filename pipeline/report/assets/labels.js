// Labels: counts of labels -> a table to search and sort, with the line that the threshold draws.
"use strict";
{
  const { el } = mobius;
  const STEP = 20;
  const COLUMNS = [
    ["label", "Label"],
    ["num_counted", "Counted"],
    ["num", "Files"],
    ["num_t2i", "t2i"],
    ["num_t2v", "t2v"],
  ];
  let page;
  let sorted = { by: "num_counted", isUp: false };
  let limit = STEP;

  const compare = (a, b) => {
    const one = a[sorted.by];
    const other = b[sorted.by];
    const order = one < other ? -1 : one > other ? 1 : a.label < b.label ? -1 : 1;
    return sorted.isUp ? order : one === other ? order : -order;
  };

  const head = () => {
    const cells = COLUMNS.map(([name, title]) =>
      el("th", { scope: "col", class: name === "label" ? null : "num", "aria-sort": sorted.by === name ? (sorted.isUp ? "ascending" : "descending") : null },
        el("button", { type: "button", onclick: () => {
          sorted = { by: name, isUp: sorted.by === name ? !sorted.isUp : name === "label" };
          render();
          document.querySelectorAll("#label-table thead button")[COLUMNS.findIndex(([each]) => each === name)].focus();
        } }, title)));
    cells.splice(2, 0, el("td", {}, ""));
    return cells;
  };

  const row = (each, most) =>
    el("tr", { class: each.num_counted < page.select.min_label_count ? "rare" : null },
      el("th", { scope: "row" }, el("a", { href: `#gallery?label=${encodeURIComponent(each.label)}` }, mobius.foreign(each.label))),
      el("td", { class: "num" }, mobius.count(each.num_counted)),
      el("td", { class: "bar" }, mobius.bar(each.num_counted / most)),
      ...["num", "num_t2i", "num_t2v"].map((name) => el("td", { class: "num" }, mobius.count(each[name]))));

  const render = () => {
    const wanted = mobius.byId("label-search").value.trim().toLowerCase();
    const found = page.labels.filter((each) => each.label.toLowerCase().includes(wanted)).sort(compare);
    const most = Math.max(1, ...page.labels.map((each) => each.num_counted));
    const rows = [];
    let isAbove = true;
    for (const each of found.slice(0, limit)) {
      if (sorted.by === "num_counted" && !sorted.isUp && isAbove && each.num_counted < page.select.min_label_count) {
        const line = `below the threshold of ${mobius.count(page.select.min_label_count)}`;
        rows.push(el("tr", { class: "line" }, el("td", { colspan: COLUMNS.length + 1 }, line)));
        isAbove = false;
      }
      rows.push(row(each, most));
    }
    const table = document.querySelector("#label-table table");
    table.tHead.rows[0].replaceChildren(...head());
    table.tBodies[0].replaceChildren(...rows);
    const more = mobius.byId("more-labels");
    more.hidden = found.length <= limit;
    more.textContent = `Show more (${mobius.count(found.length - limit)} left)`;
  };

  mobius.labels = {
    async start() {
      page = await mobius.provider.page;
      mobius.byId("label-search").addEventListener("input", () => {
        limit = STEP;
        render();
      });
      mobius.byId("more-labels").addEventListener("click", () => {
        limit = Math.max(limit * 2, limit + 100);
        render();
      });
      render();
    },
  };
}
