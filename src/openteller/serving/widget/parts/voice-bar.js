/**
 * What is seen of a call: its state, both sides' loudness, the words as they are being understood, and its buttons.
 * Knows nothing about sound or messages.
 */

import { troubleNotice } from "./voice-trouble.js";

const MODES = { "hands-free": "voice_hands_free", "push-to-talk": "voice_push_to_talk" };
const SIDES = ["you", "assistant"];
const BARS = 5;

export class VoiceBar {
  #elements;
  #actions;
  #state;
  #meters = {};
  #partial;
  #said;
  #hold;
  #hush;
  #modes = {};
  #notice;
  #recording;
  #consent;
  #isRecorded = false;
  #call;
  #trouble;
  #frame = 0;
  #stateName = "";
  mode = "hands-free";

  /** @param {object} actions `talk(on)`, `mode(mode)`, `hush()`, `record(on)`, `end()`, `retry()`, `dismissed()` */
  constructor(elements, actions) {
    this.#elements = elements;
    this.#actions = actions;
    const { make } = elements;
    this.#state = make("p", { class: "state", role: "status" });
    this.#partial = make("p", { class: "partial", dir: "auto" });
    this.#said = make("p", { class: "said", role: "status", dir: "auto" });
    this.#notice = make("p", { class: "caption", dir: "auto" });
    this.#recording = make("p", { class: "caption strong", word: "voice_recording" });
    this.#consent = make("button", {
      type: "button",
      class: "quick consent",
      word: "voice_allow_recording",
      on: { click: () => actions.record(!this.#isRecorded) },
    });
    this.#hold = this.#holdButton();
    this.#hush = this.#button("voice_hush", "hush", () => actions.hush());
    this.#call = make(
      "div",
      { class: "call" },
      make("div", { class: "sides" }, this.#state, ...SIDES.map((side) => this.#meter(side))),
      this.#partial,
      this.#said,
      this.#hold,
      make("div", { class: "controls" }, this.#choice(), this.#hush, this.#endButton()),
      this.#notice,
      this.#recording,
      this.#consent,
    );
    this.#trouble = make("div", { role: "alert" });
    this.node = make("section", { class: "voice", label: "voice_call" }, this.#call, this.#trouble);
    this.#call.hidden = true;
    this.#arrange();
  }

  /** A call begins; `levels` gives both sides' loudness, 0 … 1, as often as it is asked. */
  open(levels) {
    this.#call.hidden = false;
    for (const text of [this.#partial, this.#said, this.#notice]) text.textContent = "";
    this.recorded = false;
    this.#consent.hidden = true;
    this.#trouble.replaceChildren();
    cancelAnimationFrame(this.#frame);
    this.#watch(levels);
    this.#arrange();
  }

  /** @param {VoiceTrouble} trouble why the call ended */
  close(trouble) {
    cancelAnimationFrame(this.#frame);
    this.#held(false);
    this.#call.hidden = true;
    this.state = "";
    const dismiss = () => {
      this.#trouble.replaceChildren();
      this.#arrange();
      this.#actions.dismissed();
    };
    const notice = troubleNotice(this.#elements, trouble, { retry: () => this.#actions.retry(), dismiss });
    this.#trouble.replaceChildren(...[notice].filter(Boolean));
    this.#arrange();
  }

  /** @param {string} name asking, connecting, listening, hearing, thinking or speaking */
  set state(name) {
    this.#stateName = name;
    this.node.dataset.state = name;
    this.#hush.disabled = name !== "speaking";
    this.#hold.disabled = ["", "asking", "connecting"].includes(name);
    if (name) this.#elements.say(this.#state, this.#stateWord(name));
  }

  /** What has been understood so far; may be taken back. */
  set partial(text) {
    this.#partial.textContent = text;
  }

  /** What the other side says beside the answers. Its introduction stands there already. */
  set said(text) {
    this.#said.textContent = text === this.#notice.textContent ? "" : text;
  }

  /** The notice that this is a machine, whether the call is recorded, and whether it may be. */
  introduce({ notice, recording: isRecorded, recordable: canBeRecorded }) {
    this.#notice.textContent = notice;
    this.recorded = isRecorded;
    this.#consent.hidden = !canBeRecorded;
  }

  /** Whether the call is recorded, from now on. */
  set recorded(isRecorded) {
    this.#isRecorded = isRecorded;
    this.#recording.hidden = !isRecorded;
    this.#elements.say(this.#consent, isRecorded ? "voice_stop_recording" : "voice_allow_recording");
  }

  #stateWord(name) {
    return name === "listening" && this.mode === "push-to-talk" ? "voice_ready" : `voice_${name}`;
  }

  #button(word, icon, click) {
    const { make, icon: draw } = this.#elements;
    const props = { type: "button", class: `tool ${icon}`, label: word, on: { click } };
    return make("button", props, draw(icon), make("span", { word }));
  }

  #endButton() {
    return this.#button("voice_end", "end_call", () => this.#actions.end());
  }

  #choice() {
    const { make } = this.#elements;
    const buttons = Object.entries(MODES).map(([mode, word]) => {
      this.#modes[mode] = make("button", { type: "button", word, on: { click: () => this.#choose(mode) } });
      return this.#modes[mode];
    });
    return make("div", { class: "choice", role: "group", label: "voice_mode" }, ...buttons);
  }

  #choose(mode) {
    this.mode = mode;
    this.#held(false);
    this.#arrange();
    this.#actions.mode(mode);
    if (this.#stateName) this.state = this.#stateName;
    if (mode === "push-to-talk") this.#hold.focus();
  }

  #holdButton() {
    const { make, icon } = this.#elements;
    const button = make(
      "button",
      { type: "button", class: "hold", label: "voice_hold_label" },
      icon("microphone"),
      make("span", { word: "voice_hold" }),
    );
    const press = (event) => {
      if (event.button) return;
      // However the finger slides, its end is noticed here.
      button.setPointerCapture(event.pointerId);
      this.#held(true);
    };
    const key = (event) => {
      if (event.key !== " ") return;
      event.preventDefault();
      if (event.type === "keyup") this.#held(false);
      else if (!event.repeat) this.#held(true);
    };
    const listeners = { pointerdown: press, keydown: key, keyup: key, contextmenu: (event) => event.preventDefault() };
    for (const [type, listener] of Object.entries(listeners)) button.addEventListener(type, listener);
    for (const type of ["pointerup", "pointercancel", "lostpointercapture", "blur"]) {
      button.addEventListener(type, () => this.#held(false));
    }
    return button;
  }

  #held(isHeld) {
    if (isHeld === this.#hold.classList.contains("held")) return;
    this.#hold.classList.toggle("held", isHeld);
    this.#elements.say(this.#hold.querySelector("span"), isHeld ? "voice_let_go" : "voice_hold");
    this.#actions.talk(isHeld);
  }

  #meter(side) {
    const { make } = this.#elements;
    const bars = Array.from({ length: BARS }, () => make("i"));
    this.#meters[side] = make("span", { class: "bars" }, ...bars);
    const name = make("span", { word: `voice_${side}` });
    return make("span", { class: `meter ${side}`, "aria-hidden": "true" }, name, this.#meters[side]);
  }

  #watch(levels) {
    const draw = () => {
      for (const [side, level] of Object.entries(levels())) {
        this.#meters[side].style.setProperty("--level", level.toFixed(3));
      }
      this.#frame = requestAnimationFrame(draw);
    };
    draw();
  }

  #arrange() {
    this.node.hidden = this.#call.hidden && !this.#trouble.hasChildNodes();
    this.#hold.hidden = this.mode !== "push-to-talk";
    for (const [mode, button] of Object.entries(this.#modes)) {
      button.setAttribute("aria-pressed", String(mode === this.mode));
    }
  }
}
