/**
 * The rating of an answer: five stars as a radio group, then an optional comment. May be changed afterwards.
 */

const STARS = [1, 2, 3, 4, 5];
const MAX_COMMENT = 2000;

let count = 0;

/** The rating form of a turn. */
export function rating(widget, traceId) {
  const { make } = widget.elements;
  const node = make("div", { class: "rating" });
  node.append(form(widget, traceId, node));
  return node;
}

function form(widget, traceId, node) {
  const { make, icon } = widget.elements;
  count += 1;
  const [group, commentId] = [`rating-${count}`, `comment-${count}`];
  const comment = make("textarea", { id: commentId, rows: "2", maxlength: MAX_COMMENT });
  const send = make("button", { type: "submit", class: "secondary", word: "rate_send" });
  const trouble = make("p", { class: "trouble", role: "status" });
  const more = make(
    "div",
    { class: "more", hidden: true },
    make("label", { for: commentId, word: "comment" }),
    comment,
    send,
  );
  const stars = STARS.map((value) =>
    make(
      "label",
      { class: "star" },
      make("input", { type: "radio", name: group, value, label: `star_${value}`, required: true }),
      icon("star"),
    ),
  );
  const result = make(
    "form",
    { novalidate: true },
    make("fieldset", {}, make("legend", { word: "rate_legend" }), make("div", { class: "stars" }, ...stars)),
    more,
    trouble,
  );
  result.addEventListener("change", () => {
    more.hidden = false;
  });
  result.addEventListener("submit", async (event) => {
    event.preventDefault();
    const value = Number(new FormData(result).get(group));
    if (!value) return;
    send.disabled = true;
    try {
      await widget.client.rate(traceId, value, comment.value.trim());
    } catch {
      send.disabled = false;
      widget.elements.say(trouble, "rate_failed");
      send.focus();
      return;
    }
    thank(widget, traceId, node, value);
  });
  return result;
}

function thank(widget, traceId, node, value) {
  const { make } = widget.elements;
  const again = {
    type: "button",
    class: "plain wide",
    word: "rate_again",
    on: {
      click: () => {
        node.replaceChildren(form(widget, traceId, node));
        node.querySelector("input").focus();
      },
    },
  };
  const thanks = make("p", { class: "caption", tabindex: "-1", word: ["rated", { rating: value }] });
  node.replaceChildren(thanks, make("button", again));
  thanks.focus();
}
