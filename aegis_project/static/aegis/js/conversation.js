// The conversation: cards that the server renders, and the text of runs as they say it.

import { tell } from "./live.js";
import { morph } from "./morph.js";
import { writeAll } from "./times.js";

const NEAR = 120;

export class Conversation {
  constructor(page) {
    this.id = page.dataset.session;
    this.box = document.getElementById("ae-talk");
    this.list = document.getElementById("ae-messages");
    this.earlier = document.getElementById("ae-earlier");
    this.composer = document.getElementById("ae-composer");
    this.stop = document.getElementById("ae-stop-run");
    this.problem = document.getElementById("ae-problem");
    this.latest = document.getElementById("ae-latest");
    this.runs = [];
    this.unseen = 0;
    this.latest.addEventListener("click", () => this.toEnd());
    addEventListener("scroll", () => this.isAtEnd() && this.seen(), { passive: true });
    this.earlier.addEventListener("click", () => this.loadEarlier());
    this.stop?.addEventListener("click", () => this.cancel());
    this.composer?.addEventListener("submit", (event) => this.say(event));
    this.composer?.addEventListener("change", (event) => this.name(event), { capture: true });
    this.composer?.content.addEventListener("keydown", (event) => {
      const sends = event.key === "Enter" && !event.shiftKey && !event.isComposing;
      if (!sends) return;
      event.preventDefault();
      this.composer.requestSubmit();
    });
    this.toEnd();
  }

  frames() {
    return [{ type: "conversation", id: this.id }];
  }

  take(frame, live) {
    if (frame.type !== "conversation") return false;
    this.isReady = true;
    if (live.isHeld) {
      this.count = (this.count || 0) + Object.keys(frame.cards).length;
      return true;
    }
    const isAtEnd = this.isAtEnd();
    const added = (frame.order ?? []).filter((name) => !document.getElementById(name)).length;
    if (frame.order) this.paint(frame);
    for (const [run, said] of Object.entries(frame.texts)) this.write(run, said, live);
    isAtEnd ? this.toEnd() : this.miss(added);
    return true;
  }

  isAtEnd() {
    return window.innerHeight + window.scrollY >= document.body.scrollHeight - NEAR;
  }

  /** Who reads further up stays there, and is told how much came below. */
  miss(added) {
    this.unseen += added;
    this.latest.textContent = this.unseen ? `${this.unseen} new` : "Latest";
    this.latest.hidden = false;
  }

  seen() {
    this.unseen = 0;
    this.latest.hidden = true;
  }

  paint({ cards, order, runs, has_more: hasMore }) {
    if (cards["ae-runs"]) morph(document.getElementById("ae-runs"), cards["ae-runs"]);
    this.drop(order, runs, hasMore);
    let before = null;
    for (const name of [...order, ...runs]) {
      const card = this.card(name, cards[name]);
      if (!card) continue;
      const wanted = before ? before.nextElementSibling : this.firstOf(order);
      if (card !== wanted) before ? before.after(card) : this.list.insertBefore(card, wanted);
      before = card;
    }
    document.getElementById("ae-silent").hidden = this.list.childElementCount > 0;
    this.announce(runs);
  }

  /** What is not part of it any more: another branch, a run that is over, a gap. */
  drop(order, runs, hasMore) {
    const names = new Set([...order, ...runs]);
    const shown = [...this.list.children];
    const first = shown.findIndex((card) => names.has(card.id));
    const isApart = shown.length > 0 && first < 0 && order.length > 0;
    shown.forEach((card, index) => {
      if (!names.has(card.id) && (isApart || index >= first || card.dataset.run)) card.remove();
    });
    if (isApart || !shown.length) this.earlier.hidden = !hasMore;
  }

  firstOf(order) {
    return document.getElementById(order[0]) ?? null;
  }

  card(name, html) {
    const there = document.getElementById(name);
    if (!html) return there;
    const template = document.createElement("template");
    template.innerHTML = html;
    writeAll(template.content);
    const made = template.content.firstElementChild;
    if (!there) return made;
    for (const { name: key, value } of made.attributes) there.setAttribute(key, value);
    morph(there, made.innerHTML);
    return there;
  }

  write(run, { from, text }, live) {
    const place = document.getElementById(`r-${run}`)?.querySelector(".ae-voice");
    if (!place) return;
    const before = place.textContent;
    if (from > before.length) {
      // Something between was missed: begin anew.
      this.frames().forEach((again) => live.send(again));
      return;
    }
    if (from === before.length && place.lastChild) place.lastChild.appendData(text);
    else place.textContent = before.slice(0, from) + text;
  }

  /** A screen reader hears that an answer is there, not each of its words. */
  announce(runs) {
    this.list.setAttribute("aria-busy", String(runs.length > 0));
    if (this.runs.length && !runs.length) {
      const last = this.list.lastElementChild?.querySelector(".ae-message-head b");
      document.getElementById("ae-announced").textContent = `${last?.textContent ?? "It"} has answered.`;
    }
    this.runs = runs;
    if (this.stop) this.stop.hidden = runs.length === 0;
  }

  /** Who is asked, and with which files. */
  name(event) {
    // Unfold looks for its own field beside every file and fails without one.
    event?.stopPropagation();
    const { agent, content, file } = this.composer.elements;
    const asked = agent.selectedOptions[0]?.textContent;
    content.placeholder = `Message ${asked === "Nobody" ? "everybody here" : asked}`;
    document.getElementById("ae-files-named").textContent = [...file.files].map(({ name }) => name).join(", ");
  }

  async say(event) {
    event.preventDefault();
    const button = this.composer.querySelector("[type=submit]");
    button.disabled = true;
    if (await this.send(this.composer.action, new FormData(this.composer))) {
      const asked = this.composer.agent.value;
      this.composer.reset();
      this.composer.agent.value = asked;
      this.name();
      this.toEnd();
    }
    button.disabled = false;
    this.composer.content.focus();
  }

  async cancel() {
    const body = new FormData(this.composer);
    body.delete("content");
    for (const name of this.runs) {
      body.set("run", name.slice(2));
      await this.send(this.box.dataset.cancel, body);
    }
  }

  async send(url, body) {
    const headers = { Accept: "application/json" };
    const answer = await fetch(url, { method: "POST", body, headers }).catch(() => null);
    if (answer?.ok) {
      this.problem.replaceChildren();
      return true;
    }
    const said = await answer?.json().catch(() => null);
    tell(this.problem, said?.error ?? { message: "The server did not answer.", code: "OFFLINE" });
    return false;
  }

  async loadEarlier() {
    this.earlier.disabled = true;
    const before = this.list.querySelector("[data-place]")?.dataset.place ?? "";
    const answer = await fetch(`${this.box.dataset.earlier}?before=${before}`).catch(() => null);
    this.earlier.disabled = false;
    if (!answer?.ok) {
      if (answer) this.problem.innerHTML = await answer.text();
      return;
    }
    const height = document.body.scrollHeight;
    const template = document.createElement("template");
    template.innerHTML = await answer.text();
    writeAll(template.content);
    this.list.prepend(...template.content.children);
    window.scrollBy(0, document.body.scrollHeight - height);
    this.earlier.hidden = answer.headers.get("X-Has-More") === "";
  }

  toEnd() {
    window.scrollTo(0, document.body.scrollHeight);
    this.seen();
  }

  release(live) {
    this.count = 0;
    this.frames().forEach((frame) => live.send(frame));
  }
}
