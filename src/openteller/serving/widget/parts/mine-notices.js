/**
 * The tab with the bank's notices, such as a product's new risk grade. Opening it counts as having read them.
 */

export async function noticesTab(page) {
  const { make } = page.elements;
  const notices = await page.api.notices();
  const rows = notices.map((notice) => entry(page, notice));
  const unread = notices.filter((notice) => !notice.read_at);
  // Told to the bank afterwards: what is on the screen does not wait for it.
  Promise.allSettled(unread.map((notice) => page.api.readNotice(notice.id))).then(() => page.widget.lookForNotices());
  const none = rows.length ? null : make("p", { class: "caption", word: "notices_none" });
  return [page.section("notices", "tab_notices", none, make("ul", { class: "rows" }, ...rows))];
}

function entry({ elements: { make } }, { text, product, at, read_at: readAt }) {
  return make(
    "li",
    {},
    make(
      "div",
      { class: "what" },
      make("span", {}, make("b", { word: product }), readAt ? null : make("i", { class: "new", word: "notice_new" })),
      make("small", {}, at.slice(0, 10)),
      make("p", { word: text }),
    ),
  );
}
