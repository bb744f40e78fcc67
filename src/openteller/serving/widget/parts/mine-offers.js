/**
 * The tab with offers outside of the conversation, each with whether it suits, and "why not that product?".
 */

import { card, suits } from "./offers.js";

export async function offersTab(page) {
  const { language, make } = page.elements;
  const [list, products] = await Promise.all([page.api.offers(language), page.api.products()]);
  const note = (offer, action) => page.api.noteOffer(offer.product_id, action);
  const cards = list.map((offer) => {
    const node = card(page.widget, offer, note);
    node.querySelector(".reason").after(suits(page.widget, offer.product_id));
    return node;
  });
  return [
    page.section("offers", "offers", ...(cards.length ? cards : nothing(page))),
    page.section("why-not", "why_not", whyNot(page, products), make("p", { class: "verdict", role: "status" })),
  ];
}

function nothing({ elements: { make } }) {
  return [make("p", { class: "strong", word: "offers_none" }), make("p", { class: "caption", word: "offers_none_next" })];
}

function whyNot(page, products) {
  const { make } = page.elements;
  const choice = make("select", { id: "why-not-product", required: true });
  choice.append(make("option", { value: "", word: "why_not_choose" }), ...groups(page, products));
  const ask = make("button", { type: "submit", class: "secondary", word: "why_not_ask" });
  const form = make("form", { class: "asking" }, make("label", { for: choice.id, word: "why_not_product" }), choice, ask);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (choice.value) answer(page, choice.value, form.parentElement);
  });
  return form;
}

function groups(page, products) {
  const { elements } = page;
  const found = new Map();
  for (const { id, category, name } of products) {
    if (!found.has(category)) {
      found.set(category, elements.make("optgroup"));
      elements.say(found.get(category), `category_${category}`, "group");
    }
    found.get(category).append(elements.make("option", { value: id, word: name }));
  }
  return found.values();
}

async function answer(page, productId, section) {
  const { make, language } = page.elements;
  const verdict = section.querySelector(".verdict");
  section.querySelector(".notice, .suits")?.remove();
  try {
    const found = await page.api.whyNot(productId, language);
    verdict.replaceChildren(make("span", { class: "strong" }, found.name), make("span", { dir: "auto" }, found.reason));
    verdict.after(suits(page.widget, productId));
  } catch (error) {
    verdict.replaceChildren();
    verdict.after(page.trouble(error));
  }
}
