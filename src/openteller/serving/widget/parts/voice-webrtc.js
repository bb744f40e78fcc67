/**
 * A call's line over WebRTC, with the same interface as the WebSocket's: sound as Opus tracks, messages over a data
 * channel. Suffers less on bad networks; the bank must let UDP through to the server.
 *
 * Not covered: STUN and TURN (the bank's own network needs none), trickled candidates, restarts of the connection.
 */

import { loudness, wake } from "./audio.js";

const CHANNEL = "teller";
/** Milliseconds after which the candidates found so far must do. */
const GATHERING = 2_000;
/** Milliseconds between signs of life, without which the server would keep the line of a page that is gone. */
const PULSE = 1_000;
const FAREWELL = 200;
const DEAD = new Set(["failed", "closed"]);

export class WebRtcLine {
  #client;
  #handlers;
  #peer = new RTCPeerConnection();
  #channel;
  #context = new AudioContext({ latencyHint: "interactive" });
  #meter = new AnalyserNode(this.#context, { fftSize: 1024 });
  #volume = new GainNode(this.#context);
  #window = new Float32Array(this.#meter.fftSize);
  #sink = new Audio();
  #began = 0;
  #pulse = 0;

  /** @param {import("./client.js").Client} client @param handlers as of SocketLine */
  constructor(client, handlers) {
    this.#client = client;
    this.#handlers = handlers;
    this.#volume.connect(this.#meter);
    this.#meter.connect(this.#context.destination);
    wake(this.#context);
  }

  /** Call; `start` goes with the offer. */
  async open(start, microphone) {
    const peer = this.#peer;
    peer.addEventListener("track", ({ track }) => this.#hear(track));
    peer.addEventListener("connectionstatechange", () => {
      if (DEAD.has(peer.connectionState)) this.#handlers.closed(1006);
    });
    this.#channel = peer.createDataChannel(CHANNEL);
    this.#channel.addEventListener("message", ({ data }) => this.#handlers.message(JSON.parse(data)));
    this.#channel.addEventListener("close", () => this.#handlers.closed(1006));
    this.#pulse = setInterval(() => this.#channel.readyState === "open" && this.#channel.send("ping"), PULSE);
    for (const track of microphone.stream.getAudioTracks()) peer.addTrack(track, microphone.stream);
    await peer.setLocalDescription();
    await gathered(peer);
    const { sdp, type } = peer.localDescription;
    const answer = await this.#client.offerVoice({ sdp, type, start });
    await peer.setRemoteDescription({ sdp: answer.sdp, type: answer.type });
  }

  /** The tracks have their own rate. */
  connect() {}

  send(message) {
    if (this.#channel?.readyState === "open") this.#channel.send(JSON.stringify(message));
  }

  restart() {
    this.#began = performance.now();
    this.resume();
  }

  /** What is on its way is not held here, so nothing need be dropped: the volume goes down until the next reply. */
  flush() {
    this.#volume.gain.setTargetAtTime(0, this.#context.currentTime, 0.005);
    return this.#began ? Math.round(performance.now() - this.#began) : 0;
  }

  resume() {
    this.#volume.gain.setTargetAtTime(1, this.#context.currentTime, 0.005);
  }

  get ahead() {
    return 0;
  }

  get level() {
    this.#meter.getFloatTimeDomainData(this.#window);
    return loudness(Math.sqrt(this.#window.reduce((sum, value) => sum + value * value, 0) / this.#window.length));
  }

  close() {
    clearInterval(this.#pulse);
    // Closing at once would drop the farewell that has just been sent.
    setTimeout(() => this.#peer.close(), FAREWELL);
    this.#sink.srcObject = null;
    if (this.#context.state !== "closed") this.#context.close();
  }

  #hear(track) {
    const stream = new MediaStream([track]);
    // Chromium lets a remote track flow into an audio graph only while an element plays it too.
    this.#sink.muted = true;
    this.#sink.srcObject = stream;
    this.#sink.play().catch(() => {});
    this.#context.createMediaStreamSource(stream).connect(this.#volume);
  }
}

function gathered(peer) {
  return new Promise((resolve) => {
    const look = () => peer.iceGatheringState === "complete" && resolve();
    peer.addEventListener("icegatheringstatechange", look);
    setTimeout(resolve, GATHERING);
    look();
  });
}
