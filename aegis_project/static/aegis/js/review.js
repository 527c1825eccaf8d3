// Reviewing what a session did: a clock that moves over its lanes, and how everything stood then.
// Nothing here asks the server for more than to be read.

import "./copy.js";
import { areOn } from "./keys.js";
import { draw, Lanes } from "./lanes.js";
import * as times from "./times.js";

const page = document.getElementById("ae-review");
const at = (name) => document.getElementById(`ae-${name}`);
const begin = Number(page.dataset.begin);
const end = Number(page.dataset.end);
const stops = JSON.parse(at("review-stops").textContent);
const FRAME_MS = 100;
const LOOK_MS = 400;
const SLOW_MS = 1500;
const LEAP_MS = 250;
const WORDS = { held: "Held", playing: "Playing", buffering: "Buffering", ended: "Ended" };

class Past extends Lanes {
  constructor(seek) {
    super(page, () => {});
    this.seek = seek;
  }

  now() {
    return this.position ?? Number(page.dataset.from);
  }

  open() {
    return end;
  }

  isLive() {
    return false;
  }

  window() {
    const margin = Math.max(500, (end - begin) * 0.02);
    return [begin - margin, end + margin];
  }

  centre() {}

  /** The pointer takes the clock along. */
  grab(event) {
    if (event.button) return;
    const [from, to] = this.window();
    const move = ({ clientX }) => {
      const { left, width } = this.plot.getBoundingClientRect();
      this.seek(from + ((clientX - left) / width) * (to - from));
    };
    const leave = () => {
      window.removeEventListener("pointermove", move);
      window.removeEventListener("pointerup", leave);
    };
    window.addEventListener("pointermove", move);
    window.addEventListener("pointerup", leave);
    move(event);
  }

  choose() {}

  finish(svg, height) {
    const wide = Math.max(this.scale.width - this.nowAt, 0);
    draw("rect", { class: "ae-lane-veil", x: this.nowAt, y: 34, width: wide, height: height - 34 }, svg);
    if (!transport?.hasRange()) return;
    const [from, to] = transport.range();
    const left = this.scale.x(from);
    draw("rect", { class: "ae-lane-loop", x: left, y: 31, width: Math.max(this.scale.x(to) - left, 2), height: 3 }, svg);
  }
}

class Transport {
  constructor() {
    this.position = Number(page.dataset.from);
    this.speed = 1;
    this.isPlaying = this.isLooping = this.hasEnded = false;
    this.loop = [null, null];
    this.painted = this.looked = this.askedAt = 0;
  }

  start() {
    const press = (name, act) => at(name).addEventListener("click", act);
    press("play", () => this.toggle());
    press("step", () => this.step(1));
    press("step-back", () => this.step(-1));
    press("next-error", () => this.next((stop) => stop[2] === "bad"));
    press("next-flag", () => this.toFlag());
    press("loop", () => this.toggleLoop());
    press("loop-from", () => this.mark(0));
    press("loop-to", () => this.mark(1));
    at("slider").addEventListener("input", () => this.seek(Number(at("slider").value)));
    at("speed").addEventListener("change", () => this.setSpeed(Number(at("speed").value)));
    at("review-steps").addEventListener("click", (event) => {
      const seq = Number(event.target.closest("li")?.dataset.seq);
      const stop = stops.find((one) => one[1] === seq);
      if (stop) this.seek(stop[0]);
    });
    document.addEventListener("keydown", (event) => this.key(event));
    times.whenChosen(() => this.show(true));
    this.show(true);
  }

  key(event) {
    const isBusy = event.target.closest?.("input:not(#ae-slider),select,textarea,dialog");
    if (event.ctrlKey || event.metaKey || event.altKey || isBusy || !areOn()) return;
    if (event.key === " " && event.target.closest?.("button,a,summary")) return;
    const acts = {
      " ": () => this.toggle(),
      ",": () => this.step(-1),
      ".": () => this.step(1),
      "[": () => this.mark(0),
      "]": () => this.mark(1),
      "+": () => this.faster(1),
      "-": () => this.faster(-1),
      n: () => this.next((stop) => stop[2] === "bad"),
    };
    if (!acts[event.key]) return;
    event.preventDefault();
    acts[event.key]();
  }

  // Where it goes

  range() {
    const [from, to] = this.loop;
    return [from ?? begin, to ?? end];
  }

  hasRange() {
    return this.isLooping && (this.loop[0] !== null || this.loop[1] !== null);
  }

  seek(to) {
    this.position = Math.round(Math.min(Math.max(to, begin), end));
    this.hasEnded = false;
    this.show(true);
  }

  step(by) {
    this.hold();
    const found = by > 0 ? stops.find((stop) => stop[0] > this.position) : stops.findLast((stop) => stop[0] < this.position);
    this.seek(found ? found[0] : by > 0 ? end : begin);
  }

  next(fits) {
    this.hold();
    const found = stops.find((stop) => stop[0] > this.position && fits(stop));
    if (found) this.seek(found[0]);
    else this.say("No more errors");
  }

  toFlag() {
    this.hold();
    const found = lanes.model.flags.map((flag) => flag[0]).sort((a, b) => a - b).find((one) => one > this.position);
    if (found) this.seek(found);
    else this.say("No more flags");
  }

  mark(which) {
    this.loop[which] = this.position;
    const [from, to] = this.range();
    if (from >= to) this.loop[1 - which] = null;
    this.isLooping = true;
    this.show(true);
  }

  toggleLoop() {
    this.isLooping = !this.isLooping;
    if (!this.isLooping) this.loop = [null, null];
    this.show(true);
  }

  setSpeed(speed) {
    this.speed = speed;
    this.pace = null;
  }

  faster(by) {
    const box = at("speed");
    box.selectedIndex = Math.min(Math.max(box.selectedIndex + by, 0), box.options.length - 1);
    this.setSpeed(Number(box.value));
    this.say(`Speed ${box.selectedOptions[0].textContent.trim()}`);
  }

  // Playing

  toggle() {
    if (this.isPlaying) return this.hold();
    const [from, to] = this.range();
    if (this.position >= to || this.position < from) this.position = this.isLooping ? from : begin;
    this.isPlaying = true;
    this.hasEnded = false;
    this.before = performance.now();
    this.pace = null;
    this.show(true);
    requestAnimationFrame((now) => this.tick(now));
  }

  hold() {
    this.isPlaying = false;
    this.show(true);
  }

  isSlow() {
    return this.askedAt > 0 && performance.now() - this.askedAt > SLOW_MS;
  }

  tick(now) {
    if (!this.isPlaying) return;
    const passed = Math.max(now - this.before, 0);
    this.before = now;
    if (!this.isSlow()) this.advance(passed, now);
    this.show();
    if (this.isPlaying) requestAnimationFrame((next) => this.tick(next));
  }

  advance(passed, now) {
    const [, to] = this.range();
    const by = Math.min(passed, LEAP_MS) * this.speed;
    // What was reached over the last second, which is less when the page cannot keep up.
    this.pace ??= { at: now, moved: 0 };
    this.pace.moved += by;
    if (now - this.pace.at >= 1000) {
      this.achieved = this.pace.moved / (now - this.pace.at);
      this.pace = { at: now, moved: 0 };
    }
    this.position += by;
    const last = this.isLooping ? to : end;
    if (this.position < last) return;
    if (this.isLooping) this.position = this.range()[0];
    else {
      this.position = end;
      this.isPlaying = false;
      this.hasEnded = true;
    }
  }

  // What is seen

  get state() {
    if (this.hasEnded) return "ended";
    if (!this.isPlaying) return "held";
    return this.isSlow() ? "buffering" : "playing";
  }

  show(isWhole = false) {
    const now = performance.now();
    const position = Math.round(this.position);
    const text = times.clock(position);
    at("slider").value = position;
    at("review-clock").textContent = text;
    const { state } = this;
    at("review-state").dataset.state = state;
    if (at("review-word").textContent !== WORDS[state] && (isWhole || state !== "held")) at("review-word").textContent = WORDS[state];
    at("achieved").textContent = state === "playing" && this.achieved ? `${this.achieved.toFixed(this.achieved < 10 ? 1 : 0)}×` : "";
    at("play-word").textContent = this.isPlaying ? "Hold" : "Play";
    at("play").firstElementChild.textContent = this.isPlaying ? "pause" : "play_arrow";
    at("loop").setAttribute("aria-pressed", String(this.isLooping));
    this.offer();
    if (isWhole || now - this.painted > FRAME_MS || state === "ended") {
      this.painted = now;
      lanes.position = position;
      lanes.paint();
      this.steps(position, text);
    }
    if (isWhole || now - this.looked > LOOK_MS || state === "ended") this.look(position);
  }

  /** What is looped here is what a re-drive is offered of. */
  offer() {
    const link = at("redrive-link");
    if (!link) return;
    const [from, to] = this.hasRange() ? this.loop : [null, null];
    const ends = Object.entries({ from, to }).filter(([, end]) => end !== null);
    link.search = new URLSearchParams(ends.map(([name, end]) => [name, Math.round(end)])).toString();
  }

  /** The list of events, and what the slider says of where it stands. */
  steps(position, text) {
    const stop = stops.findLast((one) => one[0] <= position);
    const said = stop ? `${text}, position ${stop[1]}, ${stop[3]}` : text;
    at("slider").setAttribute("aria-valuetext", said);
    const seq = String(stop?.[1] ?? "");
    if (this.current === seq) return;
    this.current = seq;
    let isPast = Boolean(stop);
    for (const item of at("review-steps").children) {
      item.toggleAttribute("data-future", !isPast);
      if (item.dataset.seq === seq) {
        item.setAttribute("aria-current", "step");
        isPast = false;
      } else item.removeAttribute("aria-current");
    }
  }

  say(text) {
    at("review-word").textContent = text;
  }

  /** How everything stood: at most one question at a time, and the last one always. */
  async look(position) {
    if (this.askedAt) {
      this.wanted = position;
      return;
    }
    this.looked = this.askedAt = performance.now();
    this.wanted = null;
    const query = new URLSearchParams(location.search);
    query.set("t", position);
    history.replaceState(null, "", `?${query}`);
    at("review-link").dataset.copyLink = `?${query}`;
    const answer = await fetch(`${page.dataset.instant}?${query}`).catch(() => null);
    if (answer) {
      at("instant").innerHTML = await answer.text();
      times.writeAll(at("instant"));
    }
    at("instant").dataset.at = position;
    this.askedAt = 0;
    if (this.wanted !== null && this.wanted !== position && !this.isPlaying) this.look(this.wanted);
  }
}

let transport = null;
const lanes = new Past((to) => transport.seek(to));
transport = new Transport();
transport.start();
