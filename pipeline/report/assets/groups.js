// Groups: files that are one picture -> who is kept, and the others beside it.
"use strict";
{
  const STEP = 12;
  const { el } = mobius;
  mobius.groups = {
    async start() {
      const page = await mobius.provider.page;
      if (!page.groups.length) return;
      await mobius.provider.whenAll;
      const list = mobius.byId("groups");
      const more = mobius.byId("more-groups");
      const card = async (group) => {
        const members = (await Promise.all(group.keys.map((key) => mobius.provider.get(key)))).filter(Boolean);
        const labels = [...new Set(members.flatMap((sample) => sample.labels))];
        const left = group.num - members.length;
        return el("li", { class: "card group" },
          el("p", {}, el("b", {}, mobius.files(group.num)), mobius.foreign(labels.join(", "), "span", { class: "muted" })),
          el("ul", {}, members.map((sample) => mobius.tile(sample, page, { box: 96, open: mobius.gallery.open }))),
          left > 0 ? el("p", { class: "muted" }, `and ${mobius.count(left)} more`) : null);
      };
      let shown = 0;
      const show = async () => {
        const next = page.groups.slice(shown, shown + STEP);
        shown += next.length;
        list.append(...(await Promise.all(next.map(card))));
        more.hidden = shown >= page.groups.length;
      };
      more.addEventListener("click", show);
      await show();
    },
  };
}
