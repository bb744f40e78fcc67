/**
 * `<open-teller>`: the assistant as one web component, for a customer of the bank.
 *
 *   <script type="module" src="/widget/open-teller.js"></script>
 *   <open-teller name-zh="松湾银行" name-en="Pinebay Bank"></open-teller>
 *
 * Attributes, methods and events are listed in README.md beside this file. Knows nothing about the page around it;
 * what the API sends is shown as text, never as markup.
 */

import { ApiError, Client } from "./parts/client.js";
import { Calls } from "./parts/calls.js";
import { Colleague } from "./parts/colleague.js";
import { Composer } from "./parts/composer.js";
import { Elements } from "./parts/elements.js";
import { Exchange } from "./parts/exchange.js";
import { Session } from "./parts/session.js";
import { Mine } from "./parts/mine.js";
import { OwnApi } from "./parts/own-api.js";
import { Sheet } from "./parts/citations.js";
import { Survey } from "./parts/survey.js";
import { styles } from "./parts/styles.js";
import { chooseLanguage } from "./parts/words.js";

const CHOSEN_LANGUAGE = "open-teller:language";
/** On a screen this narrow the panel fills it; below the second width the source covers the panel. */
const FULL_SCREEN = "(max-width: 640px)";
const COVERING = "(max-width: 899px)";
const TABBABLE = "button, textarea, input, select, [tabindex='0']";

export class OpenTeller extends HTMLElement {
  static observedAttributes = ["src", "lang", "token", "open", "embedded", "name-zh", "name-en", "voice"];

  #isBuilt = false;
  #session;
  #stage;
  #panel;
  #launcher;
  #title;
  #subtitle;
  #log;
  #composer;
  #sheet;
  #mine;
  #mineButton;
  #calls;
  #survey;
  #colleague = new Colleague(this);
  #running = null;
  #followed = 0;
  #isFollowing = true;
  #isRestored = false;
  #returnFocus = null;
  #widths = [matchMedia(FULL_SCREEN), matchMedia(COVERING)];
  #onWidth = () => this.#arrange();
  #onLeave = () => this.hangUp();

  connectedCallback() {
    if (!this.#isBuilt) this.#build();
    for (const width of this.#widths) width.addEventListener("change", this.#onWidth);
    addEventListener("pagehide", this.#onLeave);
    this.#arrange();
    if (this.open || this.isEmbedded) this.#restore();
  }

  disconnectedCallback() {
    for (const width of this.#widths) width.removeEventListener("change", this.#onWidth);
    removeEventListener("pagehide", this.#onLeave);
    this.#running?.abort();
    this.#colleague.stop();
    this.#survey.stop();
    this.hangUp();
  }

  attributeChangedCallback(name, before, now) {
    if (!this.#isBuilt || before === now) return;
    if (name === "lang") this.#speak(chooseLanguage(now));
    else if (name === "token" || name === "src") this.#connect();
    else if (name === "open" || name === "embedded") this.#arrange();
    else if (name === "voice") this.#allowVoice();
    else this.#entitle();
  }

  /** Whether the panel is shown. */
  get open() {
    return this.hasAttribute("open");
  }

  set open(value) {
    if (Boolean(value) === this.open) return;
    if (value) this.#show();
    else this.#hide();
  }

  /** Whether the panel fills the element's own box instead of floating over the page. */
  get isEmbedded() {
    return this.hasAttribute("embedded");
  }

  /** Speak for a customer who is logged in; begins a conversation of their own. */
  login(token) {
    this.setAttribute("token", token);
  }

  /** Speak for a visitor again. */
  logout() {
    this.removeAttribute("token");
  }

  /**
   * Open the panel and ask; in a call the answer comes aloud as well. While a typed question's answer is on its way the
   * text waits in the field instead.
   */
  async ask(text) {
    if (!this.isEmbedded) this.open = true;
    if (this.#panel.inert) this.#mine.close();
    if (this.#calls.type(text)) return;
    if (this.#running) {
      this.#composer.text = text;
      return;
    }
    const exchange = new Exchange(this, text);
    this.#survey.goOn();
    this.#log.append(exchange.node);
    this.#focusInput(exchange.node);
    await this.#run(exchange);
  }

  /** Open the panel and begin a call: the browser asks for the microphone. */
  async talk() {
    if (this.#calls.isOn || !this.#isVocal) return;
    if (!this.isEmbedded) this.open = true;
    await this.#calls.begin(this.getAttribute("voice"), this.#session);
  }

  /** End the call; the microphone is given back. */
  hangUp() {
    this.#calls?.hangUp();
  }

  /** Send a question again whose answer did not come. For the parts. */
  async askAgain(exchange) {
    if (this.#running) return;
    this.#focusInput(exchange.node);
    await this.#run(exchange);
  }

  /** Take a question back into the field. For the parts. */
  edit(exchange) {
    exchange.node.remove();
    this.#composer.text = [exchange.question, this.#composer.text].filter(Boolean).join("\n");
    this.#composer.focus();
  }

  /** Open the customer's own page at a tab: offers, data, investor or notices. Visitors have none. */
  async showMine(tab) {
    if (!this.client.token) return;
    if (!this.isEmbedded) this.open = true;
    this.#sheet.close();
    await this.#mine.open(this.#mineButton, tab);
  }

  /** Say on the button of the customer's page how many notices are new. For the parts. */
  async lookForNotices() {
    const { client } = this;
    if (!client.token) return;
    const notices = await new OwnApi(client).notices().catch(() => []);
    const count = notices.filter((notice) => !notice.read_at).length;
    if (client !== this.client) return;
    this.#mineButton.classList.toggle("news", count > 0);
    this.elements.say(this.#mineButton, count ? ["mine_new", { count }] : "mine", "label");
  }

  /** Show a cited document. For the parts. */
  openSource(citation, number, opener) {
    this.#mine.close();
    this.emit("open-teller-source", { document_id: citation.document_id });
    return this.#sheet.open(citation, number, opener);
  }

  /** The source was opened or closed. For the parts. */
  sheetChanged() {
    this.#arrange();
  }

  /** Put something at the end of the log, and show it. For the parts. */
  append(node) {
    this.#log.append(node);
    if (this.#isFollowing) this.#log.scrollTop = this.#log.scrollHeight;
  }

  /** Look soon whether a person of the bank is to come into this session's conversation. For the parts. */
  lookForColleague(session) {
    if (session === this.#session) this.#colleague.watch(session, true);
  }

  /** Tell the page; false when the page has taken the matter into its own hands. For the parts. */
  emit(type, detail = {}) {
    return this.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true, cancelable: true }));
  }

  /** Begin a new conversation with an empty log. */
  startAnew() {
    this.hangUp();
    this.#running?.abort();
    const session = this.#session;
    const last = session.takesSurvey && !this.#colleague.isAwaited ? session.turns.at(-1) : "";
    this.#colleague.stop();
    this.#survey.stop();
    session.restart();
    this.#greet();
    this.#focusInput();
    this.#survey.lookBack(session, last);
  }

  #build() {
    this.#isBuilt = true;
    this.elements = new Elements(chooseLanguage(remembered() || this.getAttribute("lang")));
    const { make, icon } = this.elements;
    this.#title = make("h1", { id: "title" });
    this.#subtitle = make("p", { class: "caption", word: "title" });
    this.#log = make("div", {
      class: "log",
      role: "log",
      "aria-live": "polite",
      label: "log",
      tabindex: "0",
      on: { scroll: () => this.#noticeScroll() },
    });
    this.#composer = new Composer(this.elements, {
      send: (text) => this.ask(text),
      stop: () => this.#running?.abort(),
      call: () => (this.#calls.isOn ? this.hangUp() : this.talk()),
    });
    this.#calls = new Calls(this, {
      open: (text) => this.#open(text),
      follow: (exchange) => this.#follow(exchange),
      answered: (exchange, session) => this.#answered(exchange, session),
      changed: (isOn) => this.#calling(isOn),
      leave: () => this.#composer.focusCall(),
    });
    this.#survey = new Survey(this, {
      isQuiet: () => this.#isQuiet,
      show: (node) => this.#showLast(node),
      reveal: (node) => this.#keepInView(node),
      leave: () => this.#focusInput(),
    });
    this.#sheet = new Sheet(this);
    this.#mine = new Mine(this);
    this.#panel = make(
      "section",
      { class: "panel", role: "dialog", "aria-labelledby": "title", hidden: true },
      this.#header(),
      make("p", { class: "disclosure", word: "notice" }),
      this.#log,
      this.#calls.node,
      this.#composer.node,
    );
    this.#launcher = make(
      "button",
      {
        type: "button",
        class: "launcher",
        label: "launcher",
        "aria-haspopup": "dialog",
        on: { click: () => this.#show() },
      },
      icon("chat"),
      make("span", { word: "launcher_short" }),
    );
    this.#stage = make("div", { class: "stage", on: { keydown: (event) => this.#key(event) } });
    this.#stage.append(this.#launcher, this.#panel, this.#sheet.node, this.#mine.node);
    const root = this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [styles()];
    root.append(this.#stage);
    this.#speak(this.elements.language);
    this.#allowVoice();
    this.#connect();
  }

  #header() {
    const { make, icon } = this.elements;
    const button = (label, click, ...inner) =>
      make("button", { type: "button", class: "plain", label, on: { click } }, ...inner);
    const language = button(
      "switch_language",
      () => this.#switchLanguage(),
      make("span", { word: "switch_language_short" }),
    );
    this.#mineButton = button("mine", () => (this.#mine.isOpen ? this.#mine.close() : this.showMine()), icon("person"));
    const anew = button("new_conversation", () => this.startAnew(), icon("anew"));
    const close = button("close", () => this.#hide(), icon("close"));
    language.classList.add("language");
    close.classList.add("close");
    const names = make("div", { class: "names" }, this.#title, this.#subtitle);
    return make(
      "header",
      {},
      make("span", { class: "badge", "aria-hidden": "true" }, "AI"),
      names,
      this.#mineButton,
      language,
      anew,
      close,
    );
  }

  #connect() {
    this.hangUp();
    this.#running?.abort();
    this.#colleague.stop();
    this.#survey.stop();
    this.client = new Client(this.getAttribute("src"));
    this.client.token = this.getAttribute("token");
    this.#session = new Session(this.client.base, this.client.token);
    this.client.visitor = this.#session.visitor;
    this.#isRestored = false;
    this.#mineButton.hidden = !this.client.token;
    this.elements.say(this.#mineButton, "mine", "label");
    this.#mineButton.classList.remove("news");
    this.lookForNotices();
    this.#greet();
    if (this.open || this.isEmbedded) this.#restore();
  }

  #greet() {
    const { make } = this.elements;
    const starter = (key) => {
      const button = make("button", { type: "button", class: "quick", word: key });
      button.addEventListener("click", () => this.ask(button.textContent));
      return make("li", {}, button);
    };
    const starters = ["starter_1", "starter_2", "starter_3"].map(starter);
    const greeting = make("div", { class: "greeting" }, make("p", { word: "greeting" }), make("ul", {}, ...starters));
    this.#sheet.close();
    this.#mine.close();
    this.#log.replaceChildren(greeting);
  }

  /** Show the conversation of the page before; what can no longer be read is left out. */
  #restore() {
    if (this.#isRestored) return;
    this.#isRestored = true;
    this.#fetchTurns(this.#session, this.client);
  }

  async #fetchTurns(session, client) {
    const greeting = this.#log.firstElementChild;
    const turns = await Promise.allSettled(session.turns.map((traceId) => client.turn(traceId)));
    const found = turns.filter((turn) => turn.status === "fulfilled").map((turn) => turn.value);
    if (!found.length || !greeting.isConnected) return;
    const exchanges = found.map((turn) => {
      const exchange = new Exchange(this, turn.inquiry.text);
      exchange.restore(turn);
      return exchange.node;
    });
    this.#colleague.watch(session, found.at(-1).answer.outcome === "handed_off");
    this.#survey.watch(session);
    // What was asked in the meantime stays below.
    greeting.after(this.elements.make("p", { class: "caption rule", word: "restored" }), ...exchanges);
    this.#log.scrollTop = this.#log.scrollHeight;
  }

  async #run(exchange) {
    const running = new AbortController();
    this.#running = running;
    this.#composer.busy = true;
    this.#isFollowing = true;
    exchange.begin();
    this.#follow(exchange);
    try {
      await this.#stream(exchange, running.signal);
    } catch (error) {
      this.#settle(exchange, error, running.signal.aborted);
    } finally {
      if (this.#running === running) {
        this.#running = null;
        this.#composer.busy = false;
      }
      this.#follow(exchange);
    }
  }

  async #stream(exchange, signal, isSecondTry = false) {
    const { client } = this;
    const session = this.#session;
    try {
      for await (const event of client.inquire(exchange.question, session.conversationId, signal)) {
        exchange.take(event);
        this.#follow(exchange);
      }
    } catch (error) {
      // The conversation may have ended on the server, or belong to who was logged in before.
      if (!(error instanceof ApiError && error.status === 404) || isSecondTry) throw error;
      session.restart();
      this.#colleague.stop();
      this.#survey.stop();
      exchange.node.before(this.elements.make("p", { class: "caption rule", word: "started_anew" }));
      exchange.begin();
      await this.#stream(exchange, signal, true);
      return;
    }
    if (client.visitor) session.visitor = client.visitor;
    this.#answered(exchange, session);
  }

  #answered(exchange, session) {
    session.add(exchange.traceId);
    this.#colleague.watch(session, exchange.isHandedOff);
    this.#survey.watch(session);
    this.emit("open-teller-answer", { trace_id: exchange.traceId });
  }

  /** Whether nothing is going on in a conversation that is in view. */
  get #isQuiet() {
    const isBusy = this.#running || this.#calls.isOn || this.#composer.text.trim() || this.#colleague.isAwaited;
    return !isBusy && !this.#panel.hidden;
  }

  get #isVocal() {
    return this.getAttribute("voice") !== "off";
  }

  #allowVoice() {
    this.#composer.isVocal = this.#isVocal;
    if (!this.#isVocal) this.hangUp();
  }

  /** A new exchange in a call. */
  #open(text) {
    const exchange = new Exchange(this, text);
    this.#survey.goOn();
    this.#log.append(exchange.node);
    this.#isFollowing = true;
    exchange.begin();
    this.#follow(exchange);
    return exchange;
  }

  #calling(isOn) {
    this.#composer.calling = isOn;
    // The answer is heard: a screen reader need not read it out as well.
    this.#log.setAttribute("aria-live", isOn ? "off" : "polite");
  }

  #settle(exchange, error, isStopped) {
    if (!exchange.node.isConnected) return;
    if (isStopped) exchange.stop();
    else if (exchange.isAnswered) exchange.settle();
    else exchange.fail(error);
    if (error instanceof ApiError && error.status === 401) this.emit("open-teller-unauthorised");
  }

  #show() {
    this.#returnFocus = document.activeElement;
    this.setAttribute("open", "");
    this.#restore();
    this.emit("open-teller-open");
    this.#focusInput();
    this.#survey.comeBack();
  }

  #hide() {
    if (this.isEmbedded) return;
    // Nobody shall be listened to by what they cannot see.
    this.hangUp();
    this.#side?.close();
    this.removeAttribute("open");
    const back = this.#returnFocus;
    if (back && back !== this && back !== document.body && back.isConnected) back.focus();
    else this.#launcher.focus();
    this.emit("open-teller-close");
  }

  /** Bring what is shown in line with the attributes, the source and the width. */
  #arrange() {
    const isShown = this.open || this.isEmbedded;
    const [fills, covers] = this.#widths.map((width) => width.matches);
    this.#panel.hidden = !isShown;
    this.#launcher.hidden = isShown;
    this.#launcher.setAttribute("aria-expanded", String(isShown));
    this.#panel.inert = Boolean(this.#side) && (covers || this.isEmbedded);
    this.#isModal = fills && !this.isEmbedded;
    for (const dialog of [this.#panel, this.#sheet.node, this.#mine.node]) dialog.setAttribute("aria-modal", String(this.#isModal));
  }

  #isModal = false;

  /** What stands beside the conversation: a cited document, or the customer's page. */
  get #side() {
    return [this.#sheet, this.#mine].find((sheet) => sheet.isOpen);
  }

  #key(event) {
    if (event.isComposing) return;
    const side = this.#side;
    if (event.key === "Escape" && (side || (this.open && !this.isEmbedded))) {
      event.stopPropagation();
      if (side) side.close();
      else this.#hide();
    } else if (event.key === "Tab" && this.#isModal) this.#keepFocus(event);
  }

  #keepFocus(event) {
    const area = this.#side?.node || this.#panel;
    const stops = [...area.querySelectorAll(TABBABLE)].filter(
      (stop) => !stop.disabled && stop.tabIndex >= 0 && stop.checkVisibility(),
    );
    const [first, last] = [stops[0], stops.at(-1)];
    const from = this.shadowRoot.activeElement;
    if (event.shiftKey ? from === first : from === last) {
      event.preventDefault();
      (event.shiftKey ? last : first).focus();
    }
  }

  /** To the field; on touch screens to what is to be read, so that no keyboard covers it. */
  #focusInput(reading = this.#log) {
    if (matchMedia("(pointer: coarse)").matches) reading.focus({ preventScroll: true });
    else this.#composer.focus();
  }

  #switchLanguage() {
    const language = this.elements.language === "zh" ? "en" : "zh";
    remember(language);
    this.setAttribute("lang", language);
    this.emit("open-teller-language", { language });
  }

  #speak(language) {
    this.elements.translate(this.#stage, language);
    this.#stage.lang = language === "zh" ? "zh-Hans" : "en";
    this.#entitle();
    this.#mine.languageChanged();
  }

  #entitle() {
    const name = this.getAttribute(`name-${this.elements.language}`);
    this.#title.textContent = name || this.elements.word("title");
    this.#subtitle.hidden = !name;
  }

  /** Keep the end in view, though never at the cost of the question's first line. */
  #follow(exchange) {
    if (this.#isFollowing && exchange.node.isConnected) this.#keepInView(exchange.node);
  }

  #keepInView(node) {
    const log = this.#log;
    log.scrollTop = Math.min(log.scrollHeight - log.clientHeight, node.offsetTop - 12);
    this.#followed = log.scrollTop;
  }

  /** Put something at the end of the log; of what stands before it, the last question stays in view. */
  #showLast(node) {
    const before = this.#log.lastElementChild;
    this.#log.append(node);
    if (this.#isFollowing) this.#keepInView(before);
  }

  #noticeScroll() {
    if (this.#log.scrollTop < this.#followed - 24) this.#isFollowing = false;
  }
}

function remembered() {
  try {
    return sessionStorage.getItem(CHOSEN_LANGUAGE);
  } catch {
    return null;
  }
}

function remember(language) {
  try {
    sessionStorage.setItem(CHOSEN_LANGUAGE, language);
  } catch {
    // Storage is barred: the choice holds for this page.
  }
}

if (!customElements.get("open-teller")) customElements.define("open-teller", OpenTeller);
