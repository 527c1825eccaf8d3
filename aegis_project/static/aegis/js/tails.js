// Up to two tails side by side, on one clock. Rows come sampled or all; what the server left out,
// what this window could not keep and what the filter hides is counted.

import { Pane } from "./pane.js";

const SLOTS = ["a", "b"];
const SUMMARY_SECONDS = 10;

export class Tails {
  /** `changed(tails)` is told which are open: `[{id, topic}]`. */
  constructor(changed = () => {}) {
    this.changed = changed;
    this.panes = new Map();
    this.mode = "sampled";
    this.isHeld = false;
    this.box = document.getElementById("ae-tails");
    this.place = document.getElementById("ae-tail-panes");
    this.said = document.getElementById("ae-tail-said");
    this.title = document.getElementById("ae-tails-title");
    this.hold = document.getElementById("ae-tails-hold");
    setInterval(() => this.summarise(), SUMMARY_SECONDS * 1000);
  }

  start(live) {
    this.live = live;
    this.hold.addEventListener("click", () => this.toggle());
    for (const button of this.box.querySelectorAll("[data-mode]")) {
      button.addEventListener("click", () => this.choose(button.dataset.mode));
    }
  }

  get open() {
    return [...this.panes.values()].map(({ id, topic }) => ({ id, topic }));
  }

  has(id, topic) {
    return [...this.panes.values()].some((pane) => pane.id === id && pane.topic === topic);
  }

  /** Open a tail; with two open already, the older one makes room. */
  add(id, topic, { isQuiet = false } = {}) {
    if (this.has(id, topic)) return;
    let slot = SLOTS.find((one) => !this.panes.has(one));
    if (!slot) {
      slot = this.panes.keys().next().value;
      this.remove(this.panes.get(slot), { isQuiet: true });
    }
    const pane = new Pane(this, { slot, id, topic });
    this.panes.set(slot, pane);
    this.place.append(pane.element);
    this.live?.send(pane.ask());
    this.show();
    if (!isQuiet) this.changed(this.open);
  }

  remove(pane, { isQuiet = false } = {}) {
    this.panes.delete(pane.slot);
    pane.element.remove();
    this.live?.send({ type: "untail", slot: pane.slot });
    this.show();
    if (!isQuiet) this.changed(this.open);
  }

  toggleTail(id, topic) {
    const pane = [...this.panes.values()].find((one) => one.id === id && one.topic === topic);
    if (pane) this.remove(pane);
    else this.add(id, topic);
  }

  show() {
    const count = this.panes.size;
    this.box.hidden = !count;
    this.place.dataset.count = count;
    this.title.textContent = count > 1 ? `${count} tails on one clock` : "1 tail";
  }

  frames() {
    this.isReady = true;
    return [...this.panes.values()].map((pane) => pane.ask());
  }

  take(frame, live) {
    if (frame.type !== "tail") return false;
    const pane = this.panes.get(frame.slot);
    if (pane?.id === frame.id && pane.topic === frame.topic) {
      pane.take(frame);
      if (live.isHeld) this.count = (this.count || 0) + frame.records.length + frame.skipped;
    }
    return true;
  }

  get isStill() {
    return this.isHeld || this.live?.isHeld;
  }

  choose(mode) {
    this.mode = mode;
    for (const button of this.box.querySelectorAll("[data-mode]")) {
      button.setAttribute("aria-pressed", String(button.dataset.mode === mode));
    }
    this.panes.forEach((pane) => this.live.send(pane.ask()));
  }

  toggle() {
    this.isHeld = !this.isHeld;
    this.hold.setAttribute("aria-pressed", String(this.isHeld));
    this.panes.forEach((pane) => pane.release());
  }

  release() {
    this.count = 0;
    this.panes.forEach((pane) => pane.release());
  }

  /** The page's hold was pressed: every foot says so at once. */
  stopped() {
    this.panes.forEach((pane) => pane.counts());
  }

  // A fast tail is not read out line by line; its sum is.
  summarise() {
    const parts = [];
    for (const pane of this.panes.values()) {
      const count = pane.received - pane.summed;
      pane.summed = pane.received;
      if (count) parts.push(`${pane.topic}: ${count} records`);
    }
    if (parts.length) this.said.textContent = parts.join(", ");
  }
}
