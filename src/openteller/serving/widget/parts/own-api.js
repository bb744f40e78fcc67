/**
 * The customer's own part of the API: offers, what is believed of them, consents, the investor class, notices.
 * Knows nothing about the screen. Errors as in client.js.
 */

const part = encodeURIComponent;

export class OwnApi {
  #client;

  /** @param {import("./client.js").Client} client who speaks for the customer */
  constructor(client) {
    this.#client = client;
  }

  /** Offers outside of a turn, in `language`. */
  async offers(language) {
    return (await this.#read(`v1/offers?language=${part(language)}`)).offers;
  }

  /** Why a product is not among them. */
  whyNot(productId, language) {
    return this.#read(`v1/offers/${part(productId)}/why-not?language=${part(language)}`);
  }

  /** What became of an offer that was made in no turn. @param {"opened"|"dismissed"} action */
  noteOffer(productId, action) {
    return this.#client.send("POST", `v1/offers/${part(productId)}`, { action });
  }

  /** The products on sale. */
  async products() {
    return (await this.#read("v1/products")).products;
  }

  /** Whether a product suits the customer. */
  suitability(productId) {
    return this.#read(`v1/products/${part(productId)}/suitability`);
  }

  profile() {
    return this.#read("v1/me/profile");
  }

  /** `{tags, words, known}`. */
  tags() {
    return this.#read("v1/me/tags");
  }

  /** Say that a tag is theirs or not. @param {"mine"|"not_me"} stance */
  sayTag(tag, stance) {
    return this.#client.send("PUT", `v1/me/tags/${part(tag)}`, { stance });
  }

  removeTag(tag) {
    return this.#client.send("DELETE", `v1/me/tags/${part(tag)}`);
  }

  denyEvent(event) {
    return this.#client.send("PUT", `v1/me/events/${part(event)}`);
  }

  removeEvent(event) {
    return this.#client.send("DELETE", `v1/me/events/${part(event)}`);
  }

  /** Take back what was said of a tag or an event. */
  takeBack(name) {
    const kind = name.startsWith("event:") ? "events" : "tags";
    return this.#client.send("DELETE", `v1/me/${kind}/${part(name)}/word`);
  }

  async consents() {
    return (await this.#read("v1/me/consents")).consents;
  }

  agree(purpose, granted) {
    return this.#client.send("PUT", `v1/me/consents/${part(purpose)}`, { granted });
  }

  /** The investor class with its expiry, and what waits for a yes. */
  standing() {
    return this.#read("v1/investor/standing");
  }

  async questions() {
    return (await this.#read("v1/investor/questionnaire")).questions;
  }

  /** Be assessed. @param {string[]} agreed codes of contradictions that are meant */
  async assess(answers, agreed) {
    return (await this.#client.send("POST", "v1/investor/assessments", { answers, agreed })).json();
  }

  /** Agree to the class that waits. */
  async confirm(id) {
    return (await this.#client.send("POST", `v1/investor/assessments/${part(id)}/confirm`, {})).json();
  }

  /** The bank's notices, the newest first. */
  async notices() {
    return (await this.#read("v1/me/notices")).notices;
  }

  readNotice(id) {
    return this.#client.send("POST", `v1/me/notices/${part(id)}/read`, {});
  }

  async #read(path) {
    return (await this.#client.send("GET", path)).json();
  }
}
