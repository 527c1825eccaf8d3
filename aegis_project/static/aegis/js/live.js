// One socket for everything that moves on a page: it subscribes, notices silence, comes back,
// and always knows in words how fresh the page is.

import { clock, follow } from "./times.js";
import { Waiting } from "./waiting.js";

const RETRY_SECONDS = [0.5, 1, 2, 4, 8];
const OFFLINE_AFTER_SECONDS = 20;
const SAID_SECONDS = 4;
const SILENT_BEATS = 2.5;

const WORDS = {
  live: "Live",
  "caught-up": "Caught up",
  "catching-up": "Catching up",
  held: "View held",
  reconnecting: "Reconnecting",
  offline: "Offline",
};

/**
 * A feed has `frames()` (what to send when the socket opens), `take(frame)` (true when the frame
 * was its own; it may set `healed` to how much it caught up), `isReady`, and, for a held view,
 * `count` (what came meanwhile) and `release(send)`.
 */
export class Live {
  constructor(feeds) {
    this.feeds = [...feeds, new Waiting()];
    this.isHeld = false;
    this.beatSeconds = 2;
    this.heardAt = 0;
    this.attempt = 0;
    // Until the socket says more, the data is as old as the page.
    this.dataAt = Date.now();
    this.badge = document.getElementById("ae-live");
    this.hold = document.getElementById("ae-hold");
  }

  start() {
    this.hold?.addEventListener("click", () => this.toggle());
    document.addEventListener("keydown", (event) => this.key(event));
    document.addEventListener("visibilitychange", () => document.hidden || this.wake());
    window.addEventListener("online", () => this.wake());
    window.addEventListener("pageshow", (event) => event.persisted && this.wake());
    setInterval(() => this.tick(), 250);
    this.connect();
  }

  connect() {
    clearTimeout(this.timer);
    this.retryAt = 0;
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = (this.socket = new WebSocket(`${scheme}//${location.host}/ws/live`));
    this.openedAt = performance.now();
    socket.addEventListener("open", () => this.opened());
    socket.addEventListener("message", (event) => socket === this.socket && this.heard(event));
    socket.addEventListener("close", (event) => socket === this.socket && this.lost(event));
    this.show();
  }

  opened() {
    this.heardAt = performance.now();
    this.feeds.forEach((feed) => {
      feed.isReady = false;
      feed.frames().forEach((frame) => this.send(frame));
    });
    this.show();
  }

  send(frame) {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(frame));
  }

  heard(event) {
    this.heardAt = performance.now();
    this.dataAt = Date.now();
    this.attempt = 0;
    this.downAt = 0;
    const frame = JSON.parse(event.data);
    if (frame.now) follow(frame.now);
    if (frame.type === "hello") this.beatSeconds = frame.beat_seconds;
    if (frame.type === "error") return this.refused(frame.error);
    for (const feed of this.feeds) {
      if (feed.take(frame, this)) break;
    }
    this.heal();
    this.show();
  }

  /** Say how much a feed that was behind has caught up with. */
  heal() {
    const healed = this.feeds.reduce((sum, feed) => sum + (feed.healed || 0), 0);
    if (!healed || this.isHeld) return;
    this.feeds.forEach((feed) => (feed.healed = 0));
    this.said = { text: `${healed} event${healed === 1 ? "" : "s"}`, until: performance.now() + SAID_SECONDS * 1000 };
  }

  refused(error) {
    const place = document.getElementById("ae-problem");
    if (place) tell(place, error);
  }

  lost(event) {
    this.downAt ||= performance.now();
    const isFinal = event.code >= 4000 && event.code < 4100;
    this.isSignedOut = event.code === 4001 || event.code === 4003;
    if (isFinal) {
      this.isOver = true;
      return this.show();
    }
    const seconds = RETRY_SECONDS[Math.min(this.attempt, RETRY_SECONDS.length - 1)];
    this.attempt += 1;
    this.retryAt = performance.now() + seconds * (800 + 400 * Math.random());
    this.timer = setTimeout(() => this.connect(), this.retryAt - performance.now());
    this.show();
  }

  /** The tab or the machine woke up: do not wait for the timer. */
  wake() {
    if (this.isOver) return;
    if (this.socket.readyState > WebSocket.OPEN) this.connect();
    else if (this.isSilent()) this.socket.close();
  }

  isSilent() {
    return this.heardAt && performance.now() - this.heardAt > this.beatSeconds * SILENT_BEATS * 1000;
  }

  tick() {
    const isOpen = this.socket.readyState === WebSocket.OPEN;
    const isStuck =
      this.socket.readyState === WebSocket.CONNECTING && performance.now() - this.openedAt > 8000;
    if ((isOpen && this.isSilent()) || isStuck) {
      // Nothing tells a browser of a half-open connection; its silence does.
      const dead = this.socket;
      this.lost({ code: 1006 });
      dead.close();
      this.socket = { readyState: WebSocket.CLOSED };
    }
    this.show();
  }

  get state() {
    if (this.socket.readyState !== WebSocket.OPEN) {
      const isDown = this.downAt && performance.now() - this.downAt > OFFLINE_AFTER_SECONDS * 1000;
      if (this.isOver || isDown || !navigator.onLine) return "offline";
      return this.downAt ? "reconnecting" : "catching-up";
    }
    if (this.isHeld) return "held";
    if (this.feeds.some((feed) => !feed.isReady)) return "catching-up";
    return this.said && performance.now() < this.said.until ? "caught-up" : "live";
  }

  detail(state) {
    switch (state) {
      case "live":
        return `${Math.min((performance.now() - this.heardAt) / 1000, 99).toFixed(1)} s`;
      case "caught-up":
        return this.said.text;
      case "held":
        return `${this.feeds.reduce((sum, feed) => sum + (feed.count || 0), 0)} new`;
      case "reconnecting":
        return this.retryAt
          ? `in ${Math.max(0, Math.ceil((this.retryAt - performance.now()) / 1000))} s`
          : "now";
      case "offline":
        if (this.isSignedOut) return "signed out";
        return this.dataAt ? `data from ${clock(this.dataAt)}` : "no data yet";
    }
    return "";
  }

  show() {
    const state = this.state;
    const isStale = state === "reconnecting" || state === "offline";
    document.body.toggleAttribute("data-stale", isStale);
    const asOf = document.getElementById("ae-as-of");
    if (isStale && asOf && this.dataAt) asOf.textContent = clock(this.dataAt);
    if (!this.badge) return;
    this.badge.dataset.state = state;
    write("ae-live-word", WORDS[state]);
    write("ae-live-detail", this.detail(state));
  }

  toggle() {
    this.isHeld = !this.isHeld;
    this.hold.setAttribute("aria-pressed", String(this.isHeld));
    this.feeds.forEach((feed) => {
      if (this.isHeld) {
        feed.count = 0;
        feed.stopped?.();
      } else feed.release?.(this);
    });
    this.show();
  }

  key(event) {
    const isOurs = event.key === " " && !event.ctrlKey && !event.metaKey && !event.altKey;
    const busy = "input,textarea,select,button,a,summary,dialog,[contenteditable],[role=log]";
    if (isOurs && this.hold && !event.target.closest?.(busy)) {
      event.preventDefault();
      this.toggle();
    }
  }
}

function write(id, text) {
  const element = document.getElementById(id);
  if (element && element.textContent !== text) element.textContent = text;
}

/** Say a refusal or failure in its place: the sentence, the code, the request. */
export function tell(place, { message, code, request_id: request }) {
  const box = document.createElement("div");
  box.className = "ae-problem";
  const sentence = document.createElement("b");
  sentence.textContent = message;
  const word = document.createElement("span");
  word.className = "ae-mono";
  word.textContent = code;
  const close = document.createElement("button");
  close.type = "button";
  close.className = "ae-button ae-spread";
  close.dataset.kind = "quiet";
  close.textContent = "Dismiss";
  close.addEventListener("click", () => box.remove());
  box.append(sentence, word);
  if (request) box.append(`request ${request}`);
  box.append(close);
  place.replaceChildren(box);
}
