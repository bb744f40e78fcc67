/**
 * The customer's own page beside the conversation: a side sheet with tabs, each a module that fills the body.
 *
 * A tab is a function `(page) => Promise<Node[]>`; `page` is this module's `Mine`, which gives it the API, a way to
 * change something and a way to say how it went. Tabs follow https://www.w3.org/WAI/ARIA/apg/patterns/tabs/.
 */

import { ApiError } from "./client.js";
import { OwnApi } from "./own-api.js";
import { dataTab } from "./mine-data.js";
import { investorTab } from "./mine-investor.js";
import { noticesTab } from "./mine-notices.js";
import { offersTab } from "./mine-offers.js";

const TABS = { offers: offersTab, data: dataTab, investor: investorTab, notices: noticesTab };
const NAMES = Object.keys(TABS);

/** One per widget. */
export class Mine {
  #opener = null;
  #tabs;
  #title;
  #body;
  #status;
  #current = NAMES[0];
  #shown = 0;

  constructor(widget) {
    this.widget = widget;
    this.elements = widget.elements;
    const { make, icon } = this.elements;
    this.#title = make("h2", { id: "mine-title", tabindex: "-1", word: "mine_title" });
    this.#tabs = NAMES.map((name) => this.#tab(name));
    this.#body = make("div", { class: "mine", role: "tabpanel", id: "mine-body", tabindex: "0" });
    this.#status = make("p", { class: "unseen", role: "status" });
    const close = { type: "button", class: "plain", label: "mine_close", on: { click: () => this.close() } };
    const heads = make("div", {}, this.#title, make("p", { class: "caption", word: "mine_caption" }));
    this.node = make(
      "aside",
      { class: "side", role: "dialog", "aria-labelledby": "mine-title", hidden: true },
      make("header", {}, heads, make("button", close, icon("close"))),
      make("div", { class: "tabs", role: "tablist", label: "mine_tabs", on: { keydown: (e) => this.#key(e) } }, ...this.#tabs),
      this.#body,
      this.#status,
    );
  }

  get isOpen() {
    return !this.node.hidden;
  }

  get api() {
    return new OwnApi(this.widget.client);
  }

  /** Show the page at a tab; `opener` gets the focus back. */
  async open(opener, tab = this.#current) {
    if (!this.isOpen) this.#opener = opener;
    this.node.hidden = false;
    this.widget.sheetChanged();
    this.#title.focus();
    await this.show(tab);
  }

  close() {
    if (!this.isOpen) return;
    this.node.hidden = true;
    this.#shown += 1;
    this.#body.replaceChildren();
    this.widget.sheetChanged();
    if (this.#opener?.isConnected) this.#opener.focus();
    this.#opener = null;
  }

  /** Load a tab; `section` names the part of it that gets the focus. */
  async show(name = this.#current, section = "") {
    this.#current = name;
    this.#select();
    this.#shown += 1;
    const mine = this.#shown;
    if (!section) this.#body.replaceChildren(this.elements.make("p", { class: "caption", word: "loading" }));
    let nodes;
    try {
      nodes = await TABS[name](this);
    } catch (error) {
      nodes = [this.trouble(error, () => this.show(name))];
    }
    // Another tab was chosen, or the page closed, while this one was on its way.
    if (mine === this.#shown) this.fill(nodes, section);
  }

  /** The interface has another language: what the API words in one language comes anew. */
  languageChanged() {
    if (this.isOpen && this.#current === "offers") this.show();
  }

  /** Put something else into the body, and the focus on its heading. */
  fill(nodes, section = "") {
    this.#body.replaceChildren(...nodes);
    this.#body.scrollTop = section ? this.#body.scrollTop : 0;
    if (!section) return;
    const heading = this.#body.querySelector(`[data-section="${section}"]`);
    heading?.focus({ preventScroll: true });
    heading?.scrollIntoView({ block: "nearest" });
  }

  /** A part of a tab with its heading, to which `show` may come back. */
  section(name, word, ...children) {
    const { make } = this.elements;
    return make("section", {}, make("h3", { "data-section": name, tabindex: "-1", word }), ...children);
  }

  /** A button that changes something: asks the API, shows the tab anew at `section`, and says how it went. */
  changing(props, change, section) {
    const button = this.elements.make("button", { type: "button", ...props });
    button.addEventListener("click", () => this.change(button, change, section));
    return button;
  }

  async change(button, change, section) {
    button.disabled = true;
    try {
      await change();
    } catch (error) {
      button.disabled = false;
      button.closest("section").append(this.trouble(error));
      button.focus();
      return;
    }
    await this.show(this.#current, section);
    this.tell("mine_saved");
  }

  /** Say something to screen readers. */
  tell(word) {
    this.#status.textContent = "";
    this.elements.say(this.#status, word);
  }

  /** What went wrong, in the API's own words where it has some, and a way to try again. */
  trouble(error, again = null) {
    const { make, icon } = this.elements;
    const word = error.status === 403 ? "mine_not_customer" : error.status === 401 ? "error_401" : "mine_failed";
    if (error.status === 401) this.widget.emit("open-teller-unauthorised");
    const own = error instanceof ApiError ? [error.message, error.cause, error.nextStep].filter(Boolean) : [];
    const retry = { type: "button", class: "secondary", word: "retry", on: { click: again } };
    return make(
      "div",
      { class: "notice failed", role: "alert" },
      icon("alert"),
      make(
        "div",
        {},
        make("p", { class: "strong", word }),
        own.length ? make("p", { class: "detail", dir: "auto" }, own.join(" ")) : null,
        again ? make("div", { class: "actions" }, make("button", retry)) : null,
      ),
    );
  }

  #tab(name) {
    const { make } = this.elements;
    const tab = { type: "button", role: "tab", id: `tab-${name}`, "aria-controls": "mine-body", word: `tab_${name}` };
    return make("button", { ...tab, on: { click: () => this.show(name) } });
  }

  #select() {
    for (const [place, tab] of this.#tabs.entries()) {
      const isCurrent = NAMES[place] === this.#current;
      tab.setAttribute("aria-selected", String(isCurrent));
      tab.tabIndex = isCurrent ? 0 : -1;
    }
    this.#body.setAttribute("aria-labelledby", `tab-${this.#current}`);
  }

  #key(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const next = (NAMES.indexOf(this.#current) + step + NAMES.length) % NAMES.length;
    this.#tabs[next].focus();
    this.show(NAMES[next]);
  }
}
