/**
 * What survives a change of page within the tab: the conversation's id, the trace ids of its turns, whether the survey was
 * shown in it and whether the customer wants none; no text.
 * Kept per API and per identity in sessionStorage; where storage is barred, it lives as long as the page.
 */

const KEPT_TURNS = 8;

export class Session {
  #key;
  #state;

  /**
   * @param {string} base the API's base URL
   * @param {string} token bearer token, or "" for a visitor
   */
  constructor(base, token) {
    this.#key = `open-teller:${base}:${identity(token)}`;
    this.#state = read(this.#key) || { conversation: newId(), turns: [] };
    this.#write();
  }

  get conversationId() {
    return this.#state.conversation;
  }

  /** Go on with a conversation that the server named. */
  set conversationId(id) {
    this.#state.conversation = id;
    this.#write();
  }

  /** Trace ids of the latest turns, oldest first. */
  get turns() {
    return [...this.#state.turns];
  }

  get visitor() {
    return this.#state.visitor || "";
  }

  set visitor(token) {
    this.#state.visitor = token;
    this.#write();
  }

  add(traceId) {
    this.#state.turns = [...this.#state.turns, traceId].slice(-KEPT_TURNS);
    this.#write();
  }

  /** Whether a survey may still be shown in this conversation. */
  get takesSurvey() {
    return !this.#state.surveyed && !this.#state.declined;
  }

  /** A survey is shown in this conversation: the one that there is. */
  noteSurvey() {
    this.#state.surveyed = true;
    this.#write();
  }

  /** The customer wants no survey in this tab. */
  declineSurveys() {
    this.#state.declined = true;
    this.#write();
  }

  /** Begin a new conversation. */
  restart() {
    this.#state = { ...this.#state, conversation: newId(), turns: [], surveyed: false };
    this.#write();
  }

  #write() {
    try {
      sessionStorage.setItem(this.#key, JSON.stringify(this.#state));
    } catch {
      // Storage is barred or full: the conversation lives in memory.
    }
  }
}

function read(key) {
  try {
    const state = JSON.parse(sessionStorage.getItem(key));
    return typeof state?.conversation === "string" && Array.isArray(state.turns) ? state : null;
  } catch {
    return null;
  }
}

/** Tells conversations of different people in one tab apart; proves nothing. */
function identity(token) {
  if (!token) return "visitor";
  try {
    const claims = token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    return String(JSON.parse(atob(claims)).sub || "bearer");
  } catch {
    return "bearer";
  }
}

/** A random UUID (version 4), also on plain http, where crypto.randomUUID is missing. */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
