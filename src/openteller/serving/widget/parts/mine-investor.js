/**
 * The tab with the customer's investor class: which, until when, why, what waits for a yes, and the questionnaire.
 */

import { Questions } from "./questions.js";
import { inBoth } from "./words.js";

export async function investorTab(page) {
  const standing = await page.api.standing();
  const { make } = page.elements;
  const left = standing.left_today;
  const start = make("button", { type: "button", class: "secondary", word: standing.assessment ? "quiz_again" : "quiz_start" });
  start.addEventListener("click", () => begin(page, start));
  const taking = left
    ? [start, make("p", { class: "caption", word: ["class_left", { count: left }] })]
    : [make("p", { class: "caption", word: "class_left_none" })];
  return [
    standing.pending ? pending(page, standing) : null,
    page.section("class", "tab_investor", ...current(page, standing), ...taking),
    standing.reasons.length ? page.section("reasons", "class_why", reasons(page, standing.reasons)) : null,
  ].filter(Boolean);
}

function current({ elements: { make } }, { assessment, in_force: inForce }) {
  if (!assessment) {
    return [make("p", { class: "strong", word: "class_none" }), make("p", { word: "class_none_next" })];
  }
  const { investor_class: name, expires_at: expires } = assessment;
  const number = Number(name[1]);
  const scale = make("ol", { class: "scale", "aria-hidden": "true" });
  scale.append(...[1, 2, 3, 4, 5].map((step) => make("li", { class: step <= number ? "on" : "" }, `C${step}`)));
  const date = day(expires);
  return [
    make("p", { class: "class-name", word: `class_${name}` }),
    scale,
    inForce ? make("p", { word: ["class_means", { number }] }) : null,
    make("p", inForce ? { class: "caption", word: ["class_until", { date }] } : { class: "notice refused", word: ["class_expired", { date }] }),
  ].filter(Boolean);
}

function pending(page, { pending: filled, assessment }) {
  const { make } = page.elements;
  const name = inBoth(`class_${filled.investor_class}`);
  const isSenior = filled.reasons.some(({ code }) => code === "senior_class");
  const isChange = Boolean(assessment) && assessment.investor_class !== filled.investor_class;
  const agree = page.changing(
    { class: "secondary", word: [isChange ? "class_agree" : "class_agree_first", { name }] },
    () => page.api.confirm(filled.id),
    "class",
  );
  return page.section(
    "pending",
    ["class_pending", { name }],
    reasons(page, filled.reasons),
    isSenior ? make("p", { class: "notice refused", word: "class_senior" }) : null,
    make("div", { class: "actions" }, agree),
  );
}

function reasons({ elements: { make } }, list) {
  return make("ul", { class: "reasons" }, ...list.map(({ text }) => make("li", { word: text })));
}

async function begin(page, button) {
  button.disabled = true;
  try {
    new Questions(page, await page.api.questions()).show();
  } catch (error) {
    button.disabled = false;
    button.after(page.trouble(error));
  }
}

/** A moment of the API as a day on the reader's calendar. */
function day(moment) {
  return new Intl.DateTimeFormat("sv-SE", { dateStyle: "short" }).format(new Date(moment));
}
