/**
 * The tab with what is believed of the customer and what they agree to: switches, tags, life events, all theirs to change.
 */

import { inBoth } from "./words.js";

/** Latest first; older ones would bury what can be corrected. */
const SHOWN_EVENTS = 12;

export async function dataTab(page) {
  const [consents, profile, tags] = await Promise.all([page.api.consents(), page.api.profile(), page.api.tags()]);
  const refused = tags.words.filter((word) => word.stance !== "mine");
  return [
    page.section("switches", "switches", ...consents.map((consent) => switcher(page, consent))),
    tagSection(page, tags),
    profile.personalised ? eventSection(page, profile.events) : null,
    refused.length ? refusedSection(page, refused, tags.known) : null,
  ].filter(Boolean);
}

function switcher(page, { purpose, name, granted, on, off }) {
  const { make } = page.elements;
  const id = `switch-${purpose}`;
  const button = page.changing(
    { class: "switch", role: "switch", "aria-checked": String(granted), "aria-labelledby": id, "data-purpose": purpose },
    () => page.api.agree(purpose, !granted),
    "switches",
  );
  button.append(make("i", { "aria-hidden": "true" }), make("span", { word: granted ? "switch_is_on" : "switch_is_off" }));
  const [now, then] = granted ? [on, off] : [off, on];
  return make(
    "div",
    { class: "consent" },
    make("div", { class: "row" }, make("span", { class: "strong", id, word: name }), button),
    make("p", { word: ["switch_now", { text: now }] }),
    make("p", { class: "caption", word: [granted ? "switch_if_off" : "switch_if_on", { text: then }] }),
  );
}

function tagSection(page, { tags, known }) {
  const { make } = page.elements;
  const rows = tags.map(({ tag, name, source, reason }) =>
    row(page, name, [make("small", { word: source === "own" ? "tag_own" : reason })], [
      source === "own" ? null : act(page, "tag_not_me", name, () => page.api.sayTag(tag, "not_me"), "tags"),
      act(page, "tag_remove", name, () => page.api.removeTag(tag), "tags"),
    ]),
  );
  const lead = make("p", { class: "caption", word: rows.length ? "tags_lead" : "tags_none" });
  return page.section("tags", "tags", lead, make("ul", { class: "rows" }, ...rows), adding(page, tags, known));
}

function adding(page, tags, known) {
  const { make } = page.elements;
  const there = new Set(tags.map(({ tag }) => tag));
  const options = Object.entries(known).filter(([tag]) => !there.has(tag));
  const choice = make("select", { label: "tag_choose" });
  choice.append(...options.map(([tag, name]) => make("option", { value: tag, word: name })));
  const add = page.changing({ class: "secondary", word: "tag_add" }, () => page.api.sayTag(choice.value, "mine"), "tags");
  return make("div", { class: "asking" }, choice, add);
}

function eventSection(page, events) {
  const { make } = page.elements;
  const rows = events.slice(0, SHOWN_EVENTS).map(({ name, on, text, confidence, evidence }) => {
    const sure = make("small", { word: ["event_sure", { percent: Math.round(confidence * 100) }] });
    const proof = evidence.map((one) => make("small", { word: { zh: `${one.on} ${one.text.zh}`, en: `${one.on} ${one.text.en}` } }));
    const said = { zh: `${on} ${text.zh}`, en: `${on} ${text.en}` };
    return row(page, said, [sure, ...proof], [
      act(page, "event_not_so", said, () => page.api.denyEvent(name), "events"),
      act(page, "tag_remove", said, () => page.api.removeEvent(name), "events"),
    ]);
  });
  const none = rows.length ? null : make("p", { class: "caption", word: "life_events_none" });
  return page.section("events", "life_events", none, make("ul", { class: "rows" }, ...rows));
}

function refusedSection(page, words, known) {
  const { make } = page.elements;
  const rows = words.map(({ tag, stance }) => {
    const name = known[tag] || eventName(tag);
    const again = () => page.api.takeBack(tag);
    return row(page, name, [make("small", { word: `stance_${stance}` })], [act(page, "take_back", name, again, "tags")]);
  });
  return page.section("refused", "refused", make("ul", { class: "rows" }, ...rows));
}

/** A life event that is no more in the profile, from what the word about it is kept under. */
function eventName(tag) {
  const [, kind, on] = tag.split(":");
  const { zh, en } = inBoth(`event_${kind}`);
  return { zh: `${zh} ${on}`, en: `${en} ${on}` };
}

function row({ elements: { make } }, name, details, buttons) {
  const what = make("div", { class: "what" }, make("span", { word: name }), ...details);
  return make("li", {}, what, make("div", { class: "actions" }, ...buttons.filter(Boolean)));
}

function act(page, word, name, change, section) {
  return page.changing({ class: "plain wide", word, label: [`${word}_label`, { name }] }, change, section);
}
