/**
 * What can come between a customer and a call, and how it is said: what happened, the likely cause, the next step.
 */

/** The browser's names for a microphone that it does not give. https://www.w3.org/TR/mediacapture-streams/ */
const REFUSALS = {
  NotAllowedError: "denied",
  SecurityError: "denied",
  NotFoundError: "no_microphone",
  OverconstrainedError: "no_microphone",
  NotReadableError: "microphone_busy",
  AbortError: "microphone_busy",
};
/** Of the server's close codes. */
const CLOSED = { 1000: "bye", 4401: "unauthorised", 4429: "busy", 1011: "fault" };
/** After these another try may go well. */
const PASSING = new Set(["denied", "no_microphone", "microphone_busy", "microphone_lost", "unreachable", "dropped"]);
/** Calls that ended as calls do. */
const ORDERLY = new Set(["bye", "silence", "timeout"]);

export class VoiceTrouble extends Error {
  /**
   * @param {string} kind `voice_<kind>` and `voice_<kind>_next` are its words
   * @param {string} detail the server's own words
   */
  constructor(kind, detail = "") {
    super(kind);
    this.kind = kind;
    this.detail = detail;
  }

  /** Of what `getUserMedia` and the audio context throw. */
  static ofMicrophone(error) {
    return error instanceof VoiceTrouble ? error : new VoiceTrouble(REFUSALS[error.name] || "unsupported");
  }

  /** Of the code with which a line closed. */
  static ofCode(code, wasReady, detail) {
    const kind = (wasReady || code !== 1000) && CLOSED[code];
    return new VoiceTrouble(kind || (wasReady ? "dropped" : "unreachable"), kind === "bye" ? "" : detail);
  }

  /** Of the `closed` and `error` messages; `detail` is what the server said before. */
  static ofReason(reason, detail) {
    return new VoiceTrouble(ORDERLY.has(reason) ? reason : "fault", ORDERLY.has(reason) ? "" : detail);
  }

  get isOrderly() {
    return ORDERLY.has(this.kind);
  }
}

/** The notice about it; null when there is nothing to say. */
export function troubleNotice({ make, icon }, trouble, { retry, dismiss }) {
  if (trouble.kind === "bye") return null;
  const canRetry = PASSING.has(trouble.kind) || trouble.kind === "fault" || trouble.kind === "busy";
  const button = (word, click, kind) => make("button", { type: "button", class: kind, word, on: { click } });
  return make(
    "div",
    { class: trouble.isOrderly ? "notice" : "notice failed" },
    icon(trouble.isOrderly ? "end_call" : "alert"),
    make(
      "div",
      {},
      make("p", { class: "strong", word: `voice_${trouble.kind}` }),
      make("p", { word: `voice_${trouble.kind}_next` }),
      trouble.detail ? make("p", { class: "detail", dir: "auto" }, trouble.detail) : null,
      make(
        "div",
        { class: "actions" },
        canRetry || trouble.isOrderly ? button("voice_retry", retry, "secondary") : null,
        button("voice_dismiss", dismiss, "plain wide"),
      ),
    ),
  );
}
