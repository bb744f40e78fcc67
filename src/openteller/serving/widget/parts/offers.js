/**
 * Offers as cards: the product, why it is offered, "tell me more" and "not interested".
 */

/** The cards of a turn; null when nothing is offered. */
export function offers(widget, traceId, list) {
  if (!list.length) return null;
  const { make } = widget.elements;
  return make(
    "section",
    { class: "offers", label: "offers" },
    make("p", { class: "caption", word: "offers" }),
    ...list.map((offer) => card(widget, traceId, offer)),
  );
}

function card(widget, traceId, offer) {
  const { make } = widget.elements;
  const { name } = offer;
  const trouble = make("p", { class: "trouble", role: "status" });
  const more = make("button", {
    type: "button",
    class: "secondary",
    word: "offer_more",
    label: ["offer_more_label", { name }],
  });
  const dismiss = make("button", {
    type: "button",
    class: "plain wide",
    word: "offer_dismiss",
    label: ["offer_dismiss_label", { name }],
  });
  const node = make(
    "article",
    { class: "offer", "data-product": offer.product_id },
    make("h3", { dir: "auto" }, name),
    make(
      "p",
      { class: "reason", dir: "auto" },
      make("span", { class: "caption", word: "offer_reason" }),
      " ",
      offer.reason,
    ),
    make("div", { class: "actions" }, more, dismiss),
    trouble,
  );
  more.addEventListener("click", () => {
    // The answer matters more to the customer than the count: a lost event does not hold it up.
    widget.client.offerEvent(traceId, offer.product_id, "opened").catch(() => {});
    if (widget.emit("open-teller-offer", { ...offer })) widget.ask(widget.elements.word("offer_question", { name }));
  });
  dismiss.addEventListener("click", async () => {
    dismiss.disabled = true;
    try {
      await widget.client.offerEvent(traceId, offer.product_id, "dismissed");
    } catch {
      dismiss.disabled = false;
      widget.elements.say(trouble, "offer_failed");
      dismiss.focus();
      return;
    }
    const gone = make("p", { class: "offer gone", tabindex: "-1", word: ["offer_dismissed", { name }] });
    node.replaceWith(gone);
    gone.focus();
  });
  return node;
}
