// The Topics monitor: rows that move where they stand, and two tails below.

import "./copy.js";
import * as keys from "./keys.js";
import { Live } from "./live.js";
import { morph } from "./morph.js";
import { Tails } from "./tails.js";
import * as times from "./times.js";

const page = document.getElementById("ae-monitor");
const search = document.getElementById("ae-search");

class Rows {
  constructor() {
    this.held = {};
    this.turn = 0;
    this.others = 0;
    document.getElementById("ae-refresh").addEventListener("click", () => this.refresh());
  }

  get rows() {
    return [...document.querySelectorAll("#ae-topics tbody tr")];
  }

  frames() {
    this.turn = 0;
    const { view, query, session } = page.dataset;
    const ids = this.rows.map((row) => Number(row.dataset.row));
    return [{ type: "monitor", ids, view, q: query, session }];
  }

  take(frame, live) {
    if (frame.type !== "monitor") return false;
    if (frame.turn !== this.turn + 1) {
      // Something between was missed: the next frame has everything again.
      this.isReady = false;
      this.frames().forEach((again) => live.send(again));
      return true;
    }
    if (!this.isReady && this.wasLive) this.healed = Object.keys(frame.rows).length;
    this.turn = frame.turn;
    this.others = frame.others;
    this.isReady = this.wasLive = true;
    if (!live.isHeld) return this.paint(frame), true;
    for (const [pk, cells] of Object.entries(frame.rows)) this.held[pk] = { ...this.held[pk], ...cells };
    this.parts = { ...this.parts, ...frame.parts };
    this.count = Object.keys(this.held).length;
    return true;
  }

  // A row changes where it stands; nothing moves under the pointer or the focus.
  paint({ rows, parts }) {
    for (const [pk, cells] of Object.entries(rows)) {
      const row = document.querySelector(`#ae-topics tr[data-row="${CSS.escape(pk)}"]`);
      for (const [name, html] of Object.entries(row ? cells : {})) {
        morph(row.querySelector(`[data-col="${name}"]`), html);
      }
      if (row) times.writeAll(row);
    }
    for (const [name, html] of Object.entries(parts ?? {})) {
      morph(document.getElementById(`ae-${name}`), html);
    }
    this.say();
    if (this.others && !this.rows.length && !page.dataset.query) this.refresh();
  }

  say() {
    const text = this.others ? `${this.others === 100 ? "100 or more" : this.others} new` : "";
    const place = document.getElementById("ae-changed");
    if (place.textContent !== text) place.textContent = text;
    document.getElementById("ae-refresh").hidden = !text;
  }

  async refresh() {
    const answer = await fetch(location.href);
    if (!answer.ok) return;
    const read = new DOMParser().parseFromString(await answer.text(), "text/html");
    document.getElementById("ae-found").replaceWith(read.getElementById("ae-found"));
    this.others = 0;
    this.say();
    times.writeAll();
    mark();
    this.frames().forEach((frame) => live.send(frame));
  }

  release() {
    this.paint({ rows: this.held, parts: this.parts });
    this.held = {};
    this.parts = {};
    this.count = 0;
  }
}

// Which topics are tailed stands in the address and in the ticks.

function mark() {
  for (const row of rows.rows) {
    const is = tails.has(row.dataset.session, row.dataset.topic);
    row.toggleAttribute("data-tailed", is);
    row.querySelector("[data-tail]").checked = is;
  }
}

function remember(open) {
  const url = new URL(location.href);
  url.searchParams.delete("tail");
  for (const { id, topic } of open) url.searchParams.append("tail", `${id}:${topic}`);
  history.replaceState(null, "", url);
  mark();
}

page.addEventListener("change", (event) => {
  const box = event.target.closest("[data-tail]");
  if (!box) return;
  const { session, topic } = box.closest("tr").dataset;
  tails.toggleTail(session, topic);
});

// Keys

function move(step) {
  const all = rows.rows;
  const at = all.indexOf(document.activeElement?.closest("#ae-topics tbody tr"));
  const next = all[Math.min(Math.max(at + step, 0), all.length - 1)];
  next?.querySelector("[data-col=topic] a").focus();
}

function pick() {
  const row = document.activeElement?.closest("#ae-topics tbody tr");
  if (!row) return false;
  tails.toggleTail(row.dataset.session, row.dataset.topic);
}

search.addEventListener("keydown", (event) => event.key === "Escape" && search.blur());

const rows = new Rows();
const tails = new Tails(remember);
const live = new Live([rows, tails]);
live.start();
tails.start(live);
for (const tail of new URL(location.href).searchParams.getAll("tail").slice(-2)) {
  const at = tail.indexOf(":");
  tails.add(tail.slice(0, at), tail.slice(at + 1), { isQuiet: true });
}
mark();
keys.start({ "/": () => search.focus(), j: () => move(1), k: () => move(-1), x: pick });
