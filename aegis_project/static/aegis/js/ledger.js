// The timeline's event list: what the server renders, newest first, without a gap.

import { writeAll } from "./times.js";

const WINDOW = 500;

export class Ledger {
  constructor(page) {
    this.id = page.dataset.session;
    this.show = page.dataset.show;
    this.head = Number(page.dataset.head);
    this.url = page.dataset.events;
    this.isFollowing = "following" in page.dataset;
    this.list = document.getElementById("ae-events");
    this.older = document.getElementById("ae-older");
    this.begin = document.getElementById("ae-begin");
    this.oldest = this.list.dataset.oldest;
    this.older.addEventListener("click", () => this.loadOlder());
  }

  frames() {
    if (!this.isFollowing) {
      this.isReady = true;
      return [];
    }
    return [{ type: "ledger", id: this.id, show: this.show, after: this.head }];
  }

  take(frame, live) {
    if (frame.type !== "events") return false;
    if (live.isHeld) {
      this.count = frame.head - this.head;
      this.isReady = true;
      return true;
    }
    if (frame.after !== this.head) {
      // Something between was lost: ask again from where this page stands.
      this.isReady = false;
      this.frames().forEach((again) => live.send(again));
      return true;
    }
    if (!this.isReady || this.isHealing) this.healed = frame.head - frame.after;
    this.paint(frame);
    this.isReady = true;
    this.isHealing = false;
    return true;
  }

  paint(frame) {
    this.head = frame.head;
    if (!frame.html) return;
    const template = document.createElement("template");
    template.innerHTML = frame.html;
    writeAll(template.content);
    if (frame.missed) {
      // More came than one page holds; what is between is one click on "Older" away.
      this.list.replaceChildren();
      this.oldest = frame.first;
      this.mayHaveOlder(true);
    }
    const isEmpty = !this.list.childElementCount;
    if (isEmpty && !frame.missed) this.begin.textContent = "This is where the ledger begins.";
    this.list.prepend(...template.content.children);
    this.trim();
  }

  trim() {
    while (this.list.childElementCount > WINDOW) {
      this.list.lastElementChild.remove();
      this.oldest = this.list.lastElementChild.dataset.seq;
      this.mayHaveOlder(true);
    }
  }

  mayHaveOlder(is) {
    this.older.hidden = !is;
    this.begin.hidden = is;
  }

  async loadOlder() {
    this.older.disabled = true;
    const before = this.list.lastElementChild?.dataset.seq ?? this.oldest;
    const answer = await fetch(`${this.url}?show=${this.show}&before=${before}`);
    const html = await answer.text();
    this.older.disabled = false;
    if (!answer.ok) {
      this.begin.hidden = false;
      this.begin.innerHTML = html;
      return;
    }
    const template = document.createElement("template");
    template.innerHTML = html;
    writeAll(template.content);
    const first = template.content.querySelector("a");
    this.list.append(...template.content.children);
    this.mayHaveOlder(answer.headers.get("X-Oldest") !== "");
    if (this.older.hidden) first?.focus();
  }

  release(live) {
    this.count = 0;
    this.isHealing = true;
    this.frames().forEach((frame) => live.send(frame));
  }
}
