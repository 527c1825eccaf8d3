// The table of topics and the tail of one of them. Rows come sampled; what the server left out
// and what the filter hides is counted.

import { morph } from "./morph.js";
import { clock, writeAll } from "./times.js";

const WINDOW = 500;
const SUMMARY_SECONDS = 10;
const FILTER_KEY = "aegis.tail.filter";
const thin = (value) => String(value).replace(/\B(?=(\d{3})+$)/g, "\u2009");

export class Topics {
  constructor(page) {
    this.id = page.dataset.session;
    this.rows = document.getElementById("ae-topic-rows");
    this.none = document.getElementById("ae-topics-none");
    this.box = document.getElementById("ae-tail-box");
    this.log = document.getElementById("ae-tail");
    this.filter = document.getElementById("ae-tail-filter");
    this.filter.value = sessionStorage.getItem(FILTER_KEY) || "";
    this.topic = new URL(location.href).searchParams.get("topic");
    this.waiting = [];
    setInterval(() => this.summarise(), SUMMARY_SECONDS * 1000);
  }

  start(live) {
    this.live = live;
    this.rows.addEventListener("click", (event) => {
      const button = event.target.closest("[data-tail]");
      if (button) this.open(button.dataset.tail);
    });
    this.filter.addEventListener("input", () => this.refilter());
    const wrap = document.getElementById("ae-tail-wrap");
    wrap.addEventListener("click", () => {
      const is = this.log.toggleAttribute("data-wrap");
      wrap.setAttribute("aria-pressed", String(is));
    });
    document.getElementById("ae-tail-close").addEventListener("click", () => this.close());
    if (this.topic) this.open(this.topic);
  }

  frames() {
    const frames = [{ type: "topics", id: this.id }];
    if (this.topic) frames.push(this.ask());
    return frames;
  }

  ask() {
    return { type: "tail", id: this.id, topic: this.topic, after: this.position ?? null };
  }

  open(topic) {
    this.topic = topic;
    this.position = null;
    this.shown = this.skipped = this.records = this.summed = 0;
    this.waiting = [];
    this.log.replaceChildren();
    this.box.hidden = false;
    this.box.scrollIntoView({ block: "nearest" });
    document.getElementById("ae-tail-name").textContent = topic;
    const url = new URL(location.href);
    url.searchParams.set("topic", topic);
    history.replaceState(null, "", url);
    this.mark();
    this.live.send(this.ask());
    this.counts();
  }

  close() {
    const button = this.rows.querySelector(`[data-tail="${CSS.escape(this.topic)}"]`);
    this.topic = null;
    this.box.hidden = true;
    const url = new URL(location.href);
    url.searchParams.delete("topic");
    history.replaceState(null, "", url);
    this.live.send({ type: "untail" });
    this.mark();
    button?.focus();
  }

  mark() {
    for (const row of this.rows.children) {
      row.setAttribute("aria-selected", String(row.dataset.key === this.topic));
    }
  }

  take(frame, live) {
    if (frame.type === "topics") {
      this.isReady = true;
      if (!live.isHeld) this.paintTopics(frame);
      return true;
    }
    if (frame.type !== "tail") return false;
    if (frame.topic !== this.topic) return true;
    if (live.isHeld) this.count = (this.count || 0) + frame.records.length + frame.skipped;
    else this.takeRecords(frame);
    return true;
  }

  paintTopics(frame) {
    morph(this.rows, frame.html);
    writeAll(this.rows);
    this.none.hidden = Boolean(frame.html.trim());
    this.none.textContent = "No topic yet. A topic exists as soon as somebody names it.";
    this.mark();
  }

  takeRecords(frame) {
    this.position = { epoch: frame.epoch, seq: frame.head };
    this.skipped += frame.skipped;
    this.records += frame.records.length + frame.skipped;
    if (frame.is_new_epoch && this.shown) this.waiting.push(null);
    this.waiting.push(...frame.records.map((record) => [...record, frame.epoch]));
    this.waiting = this.waiting.slice(-WINDOW);
    this.frame ||= requestAnimationFrame(() => this.paint());
  }

  paint() {
    this.frame = 0;
    const rows = this.waiting.map((record) => (record ? this.row(...record) : restart()));
    this.waiting = [];
    this.shown += rows.length;
    const stays = this.log.scrollTop > 4 ? this.log.scrollHeight - this.log.scrollTop : 0;
    this.log.prepend(...rows.reverse());
    while (this.log.childElementCount > WINDOW) this.log.lastElementChild.remove();
    if (stays) this.log.scrollTop = this.log.scrollHeight - stays;
    this.counts();
  }

  row(seq, ts, text, epoch) {
    const row = document.createElement("div");
    row.className = "ae-record";
    const time = document.createElement("time");
    time.textContent = clock(ts, { millis: true });
    time.title = new Date(ts).toISOString();
    const position = document.createElement("span");
    position.textContent = thin(seq);
    position.title = `epoch ${epoch}, seq ${seq}`;
    const data = document.createElement("span");
    data.className = "ae-record-data";
    data.append(...pieces(text));
    data.title = text;
    row.append(time, position, data);
    row.hidden = !this.matches(text);
    return row;
  }

  matches(text) {
    const wanted = this.filter.value.trim().toLowerCase();
    return !wanted || text.toLowerCase().includes(wanted);
  }

  refilter() {
    sessionStorage.setItem(FILTER_KEY, this.filter.value);
    for (const row of this.log.children) {
      const data = row.querySelector(".ae-record-data");
      if (data) row.hidden = !this.matches(data.title);
    }
    this.counts();
  }

  counts() {
    const isFiltered = this.filter.value.trim() !== "";
    const hidden = isFiltered ? this.log.querySelectorAll(".ae-record[hidden]").length : 0;
    const parts = [`${thin(this.shown)} shown`, `${thin(this.skipped)} skipped`];
    if (hidden) parts.push(`${hidden} hidden by the filter`);
    document.getElementById("ae-tail-counts").textContent = parts.join(", ");
  }

  // A fast tail is not read out line by line; its sum is.
  summarise() {
    if (!this.topic || this.records === this.summed) return;
    document.getElementById("ae-tail-said").textContent = `${this.records - this.summed} records`;
    this.summed = this.records;
  }

  release(live) {
    this.count = 0;
    if (this.topic) live.send(this.ask());
  }
}

function restart() {
  const row = document.createElement("div");
  row.className = "ae-divider";
  row.textContent = "A new epoch begins: what was between cannot be proven.";
  return row;
}

// Flat objects read as names and values, anything else as it stands in the frame.
function pieces(text) {
  if (text.length > 2000) return [`${text.slice(0, 2000)}…`];
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    return [text];
  }
  const isFlat =
    value && typeof value === "object" && !Array.isArray(value) && !Object.values(value).some((v) => v && typeof v === "object");
  if (!isFlat) return [text];
  return Object.entries(value).flatMap(([name, item]) => {
    const key = document.createElement("i");
    key.textContent = `${name} `;
    return [key, `${item}  `];
  });
}
