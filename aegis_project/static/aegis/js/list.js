// Lists of sessions and components: visible rows are read again when something moved.

import * as bulk from "./bulk.js";
import "./copy.js";
import { Live } from "./live.js";
import { morph } from "./morph.js";
import * as times from "./times.js";

const kind = document.getElementById("ae-list")?.dataset.rows ?? "sessions";
const isSorted = new URL(location.href).searchParams.has("o");

class Rows {
  constructor() {
    this.held = {};
    this.views = {};
    this.moved = new Set();
    this.others = 0;
    document.getElementById("ae-refresh")?.addEventListener("click", () => this.refresh());
  }

  get places() {
    return [...document.querySelectorAll("#result_list [data-row]")];
  }

  frames() {
    return [{ type: kind, ids: this.places.map((place) => place.dataset.row) }];
  }

  take(frame, live) {
    if (frame.type === "views") return this.takeViews(frame.counts, live);
    if (frame.type !== "rows") return false;
    this.isReady = true;
    this.others += frame.others;
    if (live.isHeld) {
      Object.assign(this.held, frame.rows);
      this.count = Object.keys(this.held).length;
    } else {
      this.paint(frame.rows);
      if (this.others && !this.places.length) this.refresh(live);
    }
    return true;
  }

  takeViews(counts, live) {
    Object.assign(this.views, counts);
    if (!live.isHeld) this.paintViews();
    return true;
  }

  /** How many sessions the views have, on their tabs and in the select of a phone. */
  paintViews() {
    for (const [word, count] of Object.entries(this.views)) {
      const place = document.querySelector(`[data-counts="${CSS.escape(word)}"]`);
      if (!place) continue;
      place.textContent = count;
      const option = document.querySelector(`#ae-views option[value="?view=${CSS.escape(word)}"]`);
      option.textContent = `${place.dataset.title} ${count}`.trim();
    }
  }

  paint(rows) {
    for (const [id, cells] of Object.entries(rows)) {
      const place = document.querySelector(`#result_list [data-row="${CSS.escape(id)}"]`);
      if (place) this.paintRow(place, cells);
      this.moved.add(id);
    }
    this.say();
  }

  // A row changes where it stands; nothing moves under the pointer or the focus.
  paintRow(place, cells) {
    const row = place.closest("tr");
    for (const [column, html] of Object.entries(cells)) {
      const cell = row.querySelector(`.field-${column}`);
      const target = cell?.querySelector(":scope > a") ?? cell;
      if (target) morph(target, html);
    }
    times.writeAll(row);
  }

  say() {
    const parts = [];
    if (this.others) parts.push(`${this.others} new`);
    if (isSorted && this.moved.size) parts.push(`${this.moved.size} may have changed place`);
    const place = document.getElementById("ae-changed");
    if (!place) return;
    place.textContent = parts.join(", ");
    document.getElementById("ae-refresh").hidden = !parts.length;
  }

  async refresh(live) {
    const answer = await fetch(location.href);
    if (!answer.ok) return;
    const read = new DOMParser().parseFromString(await answer.text(), "text/html");
    document.getElementById("changelist-form").replaceWith(read.getElementById("changelist-form"));
    this.moved.clear();
    this.others = 0;
    times.writeAll();
    bulk.arrange();
    bulk.rewire();
    this.say();
    (live ?? this.live).feeds.forEach((feed) => feed.frames().forEach((f) => this.live.send(f)));
  }

  release(live) {
    this.paint(this.held);
    this.paintViews();
    this.held = {};
    this.count = 0;
    if (this.others && !this.places.length) this.refresh(live);
  }
}

bulk.arrange();
const rows = new Rows();
const live = new Live([rows]);
rows.live = live;
live.start();
