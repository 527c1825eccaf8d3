// The Topics tab of a session: its table, and two tails below.

import { morph } from "./morph.js";
import { Tails } from "./tails.js";
import { writeAll } from "./times.js";

export class Topics {
  constructor(page) {
    this.id = page.dataset.session;
    this.rows = document.getElementById("ae-topic-rows");
    this.none = document.getElementById("ae-topics-none");
    this.tails = new Tails((open) => this.remember(open));
    this.rows.addEventListener("change", (event) => {
      const box = event.target.closest("[data-tail]");
      if (box) this.tails.toggleTail(this.id, box.dataset.tail);
    });
  }

  start(live) {
    this.tails.start(live);
    for (const topic of new URL(location.href).searchParams.getAll("topic").slice(-2)) {
      this.tails.add(this.id, topic, { isQuiet: true });
    }
  }

  remember(open) {
    const url = new URL(location.href);
    url.searchParams.delete("topic");
    for (const { topic } of open) url.searchParams.append("topic", topic);
    history.replaceState(null, "", url);
    this.mark();
  }

  mark() {
    for (const row of this.rows.children) {
      const is = this.tails.has(this.id, row.dataset.topic);
      row.toggleAttribute("data-tailed", is);
      row.querySelector("[data-tail]").checked = is;
    }
  }

  frames() {
    return [{ type: "topics", id: this.id }];
  }

  take(frame, live) {
    if (frame.type !== "topics") return false;
    this.isReady = true;
    this.last = frame;
    if (!live.isHeld) this.paint();
    return true;
  }

  paint() {
    const { html } = this.last;
    morph(this.rows, html);
    writeAll(this.rows);
    this.none.hidden = Boolean(html.trim());
    this.none.textContent = "No topic yet. A topic exists as soon as somebody names it.";
    this.mark();
  }

  release() {
    if (this.last) this.paint();
  }
}
