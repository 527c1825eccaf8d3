// The inbox: rows change where they stand, and what is new comes below what is there.

import { Beside } from "./beside.js";
import * as blast from "./blast.js";
import * as bulk from "./bulk.js";
import "./copy.js";
import * as keys from "./keys.js";
import { Live } from "./live.js";
import { morph } from "./morph.js";
import { Parts } from "./parts.js";
import * as times from "./times.js";

const page = document.getElementById("ae-inbox");
const MOST = 100;

class Inbox {
  constructor() {
    this.held = {};
    this.others = 0;
    document.getElementById("ae-refresh").addEventListener("click", () => this.refresh());
  }

  get places() {
    return [...document.querySelectorAll("#result_list [data-row]")];
  }

  frames() {
    return [{ type: "approvals", ids: this.places.map((place) => place.dataset.row) }];
  }

  take(frame, live) {
    if (frame.type !== "rows") return false;
    this.isReady = true;
    this.others += frame.others;
    if (live.isHeld) {
      Object.assign(this.held, frame.rows);
      this.count = Object.keys(this.held).length + this.others;
      return true;
    }
    this.paint(frame.rows);
    if (this.others) this.fetchNew();
    return true;
  }

  paint(rows) {
    for (const [id, cells] of Object.entries(rows)) {
      const row = document.querySelector(`#result_list [data-row="${CSS.escape(id)}"]`)?.closest("tr");
      for (const [column, html] of Object.entries(row ? cells : {})) {
        const cell = row.querySelector(`.field-${column}`);
        morph(cell.querySelector(":scope > a") ?? cell, html);
      }
      if (row) times.writeAll(row);
    }
  }

  /** Nothing that is there moves: new rows are put below it, until somebody asks for the order. */
  async fetchNew() {
    if (!("waits" in page.dataset)) return;
    this.others = 0;
    const answer = await fetch(location.href).catch(() => null);
    if (!answer?.ok) return;
    const read = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (!this.places.length) return this.replace(read);
    const known = new Set(this.places.map((place) => place.dataset.row));
    const fresh = [...read.querySelectorAll("#result_list [data-row]")]
      .filter((place) => !known.has(place.dataset.row))
      .map((place) => place.closest("tbody"));
    if (!fresh.length) return;
    if (known.size + fresh.length > MOST) {
      document.getElementById("ae-changed").textContent = `${fresh.length} new`;
    } else {
      for (const row of fresh) row.dataset.new = "";
      document.getElementById("result_list").append(...fresh);
      bulk.rewire();
      times.writeAll();
      beside.refresh();
    }
    document.getElementById("ae-refresh").hidden = false;
    this.frames().forEach((frame) => live.send(frame));
  }

  async refresh() {
    const answer = await fetch(location.href).catch(() => null);
    if (!answer?.ok) return;
    this.replace(new DOMParser().parseFromString(await answer.text(), "text/html"));
  }

  replace(read) {
    document.getElementById("changelist-form").replaceWith(read.getElementById("changelist-form"));
    this.others = 0;
    document.getElementById("ae-changed").textContent = "";
    document.getElementById("ae-refresh").hidden = true;
    bulk.arrange();
    blast.arrange();
    bulk.rewire();
    times.writeAll();
    beside.refresh();
    this.frames().forEach((frame) => live.send(frame));
  }

  release() {
    this.paint(this.held);
    this.held = {};
    this.count = 0;
    if (this.others) this.fetchNew();
  }
}

bulk.arrange();
blast.arrange();
const beside = new Beside();
const inbox = new Inbox();
const live = new Live([inbox, beside, new Parts({ type: "inbox" }, { isCounted: false })]);
live.start();
beside.start(live);
keys.start({
  a: () => beside.act("approve"),
  r: () => beside.act("reject"),
  c: () => beside.act("claim"),
  e: () => beside.act("edit"),
  x: () => beside.tick(),
  "/": () => document.getElementById("searchbar")?.focus(),
  j: () => beside.move(1),
  k: () => beside.move(-1),
});
