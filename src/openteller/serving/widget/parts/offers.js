/**
 * Offers as cards: the product, why it is offered, what that rests on, "tell me more" and "not interested".
 */

import { OwnApi } from "./own-api.js";

/** The cards of a turn; null when nothing is offered. */
export function offers(widget, traceId, list) {
  if (!list.length) return null;
  const { make } = widget.elements;
  const note = (offer, action) => widget.client.offerEvent(traceId, offer.product_id, action);
  return make(
    "section",
    { class: "offers", label: "offers" },
    make("p", { class: "caption", word: "offers" }),
    ...list.map((offer) => card(widget, offer, note)),
  );
}

/**
 * One offer.
 *
 * @param {(offer: object, action: "opened"|"dismissed") => Promise} note tells the bank what became of it
 */
export function card(widget, offer, note) {
  const { make } = widget.elements;
  const { name } = offer;
  const button = (look, word, more = {}) =>
    make("button", { type: "button", class: look, word, label: [`${word}_label`, { name }], ...more });
  const trouble = make("p", { class: "trouble", role: "status" });
  const more = button("secondary", "offer_more");
  const why = button("plain wide", "offer_why", { "aria-expanded": "false" });
  const dismiss = button("plain wide", "offer_dismiss");
  const grounds = make("div", { class: "why", hidden: true });
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
    make("div", { class: "actions" }, more, why, dismiss),
    grounds,
    trouble,
  );
  more.addEventListener("click", () => {
    // The answer matters more to the customer than the count: a lost event does not hold it up.
    note(offer, "opened").catch(() => {});
    if (widget.emit("open-teller-offer", { ...offer })) widget.ask(widget.elements.word("offer_question", { name }));
  });
  why.addEventListener("click", () => {
    if (!grounds.childElementCount) grounds.append(...restsOn(widget, offer));
    grounds.hidden = !grounds.hidden;
    why.setAttribute("aria-expanded", String(!grounds.hidden));
  });
  dismiss.addEventListener("click", async () => {
    dismiss.disabled = true;
    try {
      await note(offer, "dismissed");
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

/** What an offer was chosen by, whether it suits, and where the customer changes that. */
function restsOn(widget, offer) {
  const { make } = widget.elements;
  if (!widget.client.token) return [make("p", { word: "offer_basis_visitor" })];
  const mine = {
    type: "button",
    class: "plain wide",
    word: "offer_my_data",
    on: { click: () => widget.showMine("data") },
  };
  return [make("p", { word: "offer_basis" }), suits(widget, offer.product_id), make("button", mine)];
}

/** Whether a product suits the customer, with the rules' reasons; it says so itself when that cannot be told. */
export function suits(widget, productId) {
  const { make, icon } = widget.elements;
  const head = make("p", { class: "strong", word: "loading" });
  const node = make("div", { class: "suits", role: "status" }, icon("shield"), make("div", {}, head));
  new OwnApi(widget.client).suitability(productId).then(
    ({ outcome, reasons }) => {
      node.classList.add(outcome);
      const isInvestment = reasons[0].code !== "no_investment";
      widget.elements.say(head, isInvestment ? `suits_${outcome}` : "suits_no_investment");
      if (!isInvestment) return;
      head.after(...reasons.map(({ text, rule }) => make("p", { word: text, title: rule })));
    },
    () => widget.elements.say(head, "suits_unknown"),
  );
  return node;
}
