/**
 * The assistant's HTTP API as the widget uses it. Knows nothing about the screen.
 *
 * Errors: ApiError (the API said no, in its own words), Interrupted (network down, stream cut, or no sign of life).
 */

import { readEvents } from "./events.js";

/** Milliseconds without a byte after which an answer is given up. */
const PATIENCE = 60_000;
const VISITOR_HEADER = "X-OpenTeller-Visitor";

export class ApiError extends Error {
  constructor(status, fields = {}) {
    super(fields.message || `HTTP ${status}`);
    this.status = status;
    this.code = fields.code || "";
    this.cause = fields.cause || "";
    this.nextStep = fields.next_step || "";
    this.traceId = fields.trace_id || "";
  }

  /** Whether the same request may succeed later. */
  get isPassing() {
    return this.status === 408 || this.status === 429 || this.status >= 500;
  }
}

export class Interrupted extends Error {
  /** @param {"network"|"interrupted"|"timeout"} kind */
  constructor(kind, options) {
    super(kind, options);
    this.kind = kind;
  }
}

export class Client {
  #base;
  #token = "";
  #visitor = "";

  /** @param {string} base URL below which `v1/…` lies; empty: the page's own origin */
  constructor(base) {
    const url = new URL(base || "/", document.baseURI);
    if (!url.pathname.endsWith("/")) url.pathname += "/";
    this.#base = url;
  }

  get base() {
    return this.#base.href;
  }

  /** Whom the requests speak for: a bearer token, or "" for a visitor. */
  set token(token) {
    this.#token = token || "";
  }

  get token() {
    return this.#token;
  }

  /** The visitor's signed token where no cookie holds it: on another origin, and of visitors whom a call met first. */
  set visitor(token) {
    this.#visitor = token || "";
  }

  get visitor() {
    return this.#visitor;
  }

  /**
   * Ask; yields the stream's events `{event, data}` up to and including `done`.
   *
   * @param {AbortSignal} signal aborting it ends the stream with an AbortError
   */
  async *inquire(text, conversationId, signal) {
    const watch = new Watch(signal);
    try {
      const body = { text, conversation_id: conversationId, channel: "widget" };
      const response = await this.#send("POST", "v1/inquiries/stream", {
        body,
        signal: watch.signal,
        accept: "text/event-stream",
      });
      for await (const event of readEvents(response.body, () => watch.rest())) {
        if (event.event === "error") throw new ApiError(event.data.status, event.data.error);
        yield event;
        if (event.event === "done") return;
      }
      throw new Interrupted("interrupted");
    } catch (error) {
      if (error instanceof ApiError || error instanceof Interrupted || signal.aborted) throw error;
      throw new Interrupted(watch.ranOut ? "timeout" : "interrupted", { cause: error });
    } finally {
      watch.end();
    }
  }

  /** Rate the answer of a turn, 1 (bad) to 5 (good). */
  async rate(traceId, rating, comment) {
    const body = comment ? { rating, comment } : { rating };
    await this.#send("POST", `v1/inquiries/${encodeURIComponent(traceId)}/satisfaction`, { body });
  }

  /** Say what became of an offer. @param {"opened"|"dismissed"} action */
  async offerEvent(traceId, productId, action) {
    const path = `v1/inquiries/${encodeURIComponent(traceId)}/offers/${encodeURIComponent(productId)}`;
    await this.#send("POST", path, { body: { action } });
  }

  /** The survey to ask when a conversation is over, as it is stored; null when there is none. */
  async survey() {
    return (await (await this.#send("GET", "v1/surveys/after-conversation")).json()).stored;
  }

  /** Answer a survey after a turn, once. @param {object} values question id → number, option, options or text */
  async answerSurvey(name, traceId, values, contact) {
    const body = { trace_id: traceId, values, contact };
    await this.#send("POST", `v1/surveys/${encodeURIComponent(name)}/answers`, { body });
  }

  /** A document the caller may read. */
  async document(documentId) {
    return (await this.#send("GET", `v1/documents/${encodeURIComponent(documentId)}`)).json();
  }

  /** A stored turn of the caller. */
  async turn(traceId) {
    return (await this.#send("GET", `v1/inquiries/${encodeURIComponent(traceId)}`)).json();
  }

  /** Who answers in a conversation now, and what staff wrote in it after a message. */
  async news(conversationId, after) {
    const path = `v1/conversations/${encodeURIComponent(conversationId)}/messages?after=${after}`;
    return (await this.#send("GET", path)).json();
  }

  /** Where a call's WebSocket opens. */
  get voiceUrl() {
    const url = new URL("v1/voice", this.#base);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    return url.href;
  }

  /** Offer a call over WebRTC; resolves to the answer `{sdp, type}`. */
  async offerVoice(offer) {
    return (await this.#send("POST", "v1/voice/offer", { body: offer })).json();
  }

  /** One request; resolves to the response, or throws as the module says. */
  send(method, path, body) {
    return this.#send(method, path, { body });
  }

  get #isOwnOrigin() {
    return this.#base.origin === location.origin;
  }

  #headers(accept, hasBody) {
    const headers = { Accept: accept };
    if (hasBody) headers["Content-Type"] = "application/json";
    if (this.#token) headers.Authorization = `Bearer ${this.#token}`;
    else if (this.#visitor) headers[VISITOR_HEADER] = this.#visitor;
    return headers;
  }

  async #send(method, path, options = {}) {
    const response = await this.#fetch(method, path, options);
    if (!this.#isOwnOrigin) this.#visitor = response.headers.get(VISITOR_HEADER) || this.#visitor;
    if (!response.ok) throw await refused(response);
    return response;
  }

  async #fetch(method, path, { body, signal, accept = "application/json" }) {
    try {
      return await fetch(new URL(path, this.#base), {
        method,
        signal,
        headers: this.#headers(accept, body !== undefined),
        body: body === undefined ? undefined : JSON.stringify(body),
        credentials: this.#isOwnOrigin ? "same-origin" : "omit",
        redirect: "error",
      });
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new Interrupted("network", { cause: error });
    }
  }
}

/** The API's refusal in its own words; a foreign error page (a proxy's, say) leaves just the status. */
async function refused(response) {
  let fields = {};
  try {
    fields = (await response.json()).error || {};
  } catch {
    // Not JSON, so not the API's.
  }
  return new ApiError(response.status, fields);
}

/** Aborts when the caller does, or when nothing has arrived for PATIENCE milliseconds. */
class Watch {
  #controller = new AbortController();
  #timer;
  #outer;
  #onOuter = () => this.#controller.abort(this.#outer.reason);
  ranOut = false;

  constructor(outer) {
    this.#outer = outer;
    outer.addEventListener("abort", this.#onOuter);
    this.rest();
  }

  get signal() {
    return this.#controller.signal;
  }

  /** A sign of life came: wait afresh. */
  rest() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.ranOut = true;
      this.#controller.abort();
    }, PATIENCE);
  }

  end() {
    clearTimeout(this.#timer);
    this.#outer.removeEventListener("abort", this.#onOuter);
    this.#controller.abort();
  }
}
