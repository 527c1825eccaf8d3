// One tail: the newest records of a topic, on top.

import { parse } from "./filter.js";
import { clock, now, whenChosen, writeAll } from "./times.js";

const WINDOW = 500;
const LONG = 2000;
const FILTERS = "aegis.tail.filter.";
const HELD = "The view is held; release it to clear.";
const thin = (value) => String(value).replace(/\B(?=(\d{3})+$)/g, "\u2009");
const plural = (count, word) => `${thin(count)} ${word}${count === 1 ? "" : "s"}`;

export class Pane {
  constructor(tails, { slot, id, topic }) {
    Object.assign(this, { tails, slot, id, topic, position: null });
    this.shown = this.skipped = this.received = this.summed = this.cleared = 0;
    this.waiting = [];
    this.element = document.getElementById("ae-tail-pane").content.cloneNode(true).firstElementChild;
    this.element.dataset.topic = topic;
    this.element.setAttribute("aria-label", `Tail of ${topic}`);
    this.log = this.find(".ae-tail");
    this.rows = this.find(".ae-records");
    this.log.setAttribute("aria-label", `Records of ${topic}`);
    this.find(".ae-tail-name").textContent = topic;
    this.filter = this.find(".ae-tail-filter");
    this.filter.value = sessionStorage.getItem(FILTERS + topic) || "";
    this.filter.addEventListener("input", () => this.refilter());
    this.element.addEventListener("click", (event) => {
      const button = event.target.closest("[data-do]");
      if (button) this[button.dataset.do](button);
    });
    whenChosen(() => this.retime());
    this.understand();
    this.counts();
  }

  find(selector) {
    return this.element.querySelector(selector);
  }

  ask() {
    const { slot, id, topic } = this;
    return { type: "tail", slot, id, topic, mode: this.tails.mode, after: this.position };
  }

  // Records

  take(frame) {
    const isAnew = frame.is_new_epoch && this.received;
    this.position = frame.epoch ? { epoch: frame.epoch, seq: frame.head } : null;
    this.skipped += frame.skipped;
    this.received += frame.records.length + frame.skipped;
    this.isAnswered = true;
    if (frame.about) this.tell(frame.about);
    if (isAnew) this.waiting.push(null);
    for (const record of frame.records) this.waiting.push([...record, frame.epoch]);
    const over = this.waiting.length - WINDOW;
    if (over > 0) this.skipped += this.waiting.splice(0, over).filter(Boolean).length;
    if (this.tails.isStill || !this.waiting.length) this.counts();
    else this.frame ||= requestAnimationFrame(() => this.paint());
  }

  release() {
    if (!this.tails.isStill && this.waiting.length) this.paint();
    this.counts();
  }

  paint() {
    this.frame = 0;
    if (this.tails.isStill) return;
    const rows = this.waiting.map((record) => (record ? this.row(record) : divider("A new epoch begins: what was between cannot be proven.")));
    this.shown += this.waiting.filter(Boolean).length;
    this.waiting = [];
    const stays = this.log.scrollTop > 4 ? this.log.scrollHeight - this.log.scrollTop : 0;
    this.rows.prepend(...rows.reverse());
    while (this.rows.childElementCount > WINDOW) this.rows.lastElementChild.remove();
    if (stays) this.log.scrollTop = this.log.scrollHeight - stays;
    this.counts();
  }

  row(record) {
    const [seq, ts, text, epoch] = record;
    const row = document.createElement("div");
    row.className = "ae-record";
    row.record = { seq, ts, text, epoch };
    const time = document.createElement("time");
    time.textContent = clock(ts, { millis: true });
    time.title = new Date(ts).toISOString();
    const position = document.createElement("span");
    position.textContent = thin(seq);
    position.title = `epoch ${epoch}, seq ${seq}`;
    const data = document.createElement("span");
    data.className = "ae-record-data";
    data.append(...pieces(row.record));
    row.append(time, position, data);
    row.hidden = !this.matches(row.record);
    return row;
  }

  retime() {
    for (const row of this.rows.querySelectorAll(".ae-record")) {
      row.firstElementChild.textContent = clock(row.record.ts, { millis: true });
    }
  }

  // Filter

  understand() {
    this.wanted = parse(this.filter.value);
    const fault = this.find(".ae-tail-fault");
    fault.textContent = this.wanted.fault || "";
    fault.hidden = !this.wanted.fault;
    this.filter.toggleAttribute("data-bad", Boolean(this.wanted.fault));
  }

  matches(record) {
    return this.wanted.matches(record.text, () => valueOf(record));
  }

  refilter() {
    sessionStorage.setItem(FILTERS + this.topic, this.filter.value);
    this.understand();
    for (const row of this.rows.children) {
      if (row.record) row.hidden = !this.matches(row.record);
    }
    this.counts();
  }

  // What it says of itself

  tell({ rate, gap, last_ts: last, is_silent: isSilent, sentence }) {
    this.find(".ae-tail-rate").textContent = rate === null ? "" : `${rate} per second`;
    const box = this.find(".ae-tail-silence");
    const isNew = box.hidden === isSilent;
    box.hidden = !isSilent;
    this.isSilent = isSilent;
    if (isSilent && last) {
      const time = box.querySelector("time");
      time.dateTime = new Date(last).toISOString();
      box.querySelector(".ae-tail-normal").textContent = gap ? `Normal gap ${gap}.` : "";
      box.title = sentence;
      writeAll(box);
    }
    if (isNew) this.counts();
  }

  counts() {
    const isHeld = this.tails.isStill;
    const state = this.find(".ae-tail-state");
    const word = isHeld ? "held" : this.isSilent ? "silent" : this.received ? "live" : this.isAnswered ? "none" : "asked";
    state.dataset.state = word;
    state.textContent = { held: `Held, ${thin(this.waiting.length)} waiting`, silent: "Nothing to follow", live: "Following", none: "No record yet", asked: "Waiting for the hub" }[word];
    const parts = [`${thin(this.shown)} shown`, `${thin(this.skipped)} skipped`];
    const hidden = this.wanted.isEmpty ? 0 : this.rows.querySelectorAll(".ae-record[hidden]").length;
    if (hidden) parts.push(`${thin(hidden)} hidden by the filter`);
    this.write(".ae-tail-counts", parts.join(", "));
    const share = this.skipped && this.shown ? Math.round((this.shown + this.skipped) / this.shown) : 1;
    this.write(".ae-tail-window", share > 1 ? `showing 1 in ${thin(share)}, window ${WINDOW} rows` : `window ${WINDOW} rows`);
    this.find('[data-do="clear"]').toggleAttribute("aria-disabled", Boolean(isHeld));
  }

  write(selector, text) {
    const element = this.find(selector);
    if (element.textContent !== text) element.textContent = text;
  }

  // Buttons

  wrap(button) {
    button.setAttribute("aria-pressed", String(this.log.toggleAttribute("data-wrap")));
  }

  get lines() {
    const shown = [...this.rows.querySelectorAll(".ae-record:not([hidden])")].reverse();
    return shown.map(({ record }) => line(record)).join("\n");
  }

  async copy(button) {
    await navigator.clipboard.writeText(this.lines).catch(() => getSelection().selectAllChildren(this.rows));
    this.say(button, "Copied");
  }

  download(button) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([`${this.lines}\n`], { type: "application/x-ndjson" }));
    link.download = `${this.topic}-${new Date(now()).toISOString().slice(0, 19).replaceAll(":", "")}.ndjson`;
    link.click();
    URL.revokeObjectURL(link.href);
    this.say(button, "Saved");
  }

  /** Fold what is shown: it goes out of the way and can be had back. */
  clear(button) {
    if (this.tails.isStill) return this.say(button, HELD);
    const rows = [...this.rows.children].filter((row) => !row.dataset.fold);
    if (!rows.length) return;
    const fold = document.createElement("details");
    fold.className = "ae-fold";
    fold.dataset.fold = "true";
    const summary = document.createElement("summary");
    summary.textContent = `${plural(rows.length, "row")} cleared at ${clock(now())}`;
    fold.append(summary, ...rows);
    this.rows.prepend(fold);
  }

  close() {
    this.tails.remove(this);
  }

  last() {
    this.rows.querySelector(".ae-record")?.scrollIntoView({ block: "nearest" });
  }

  say(button, text) {
    this.element.querySelector(".ae-copy-said")?.remove();
    const said = document.createElement("span");
    said.className = "ae-copy-said";
    said.setAttribute("role", "status");
    said.textContent = text;
    button.parentElement.before(said);
    setTimeout(() => said.remove(), 2500);
  }
}

function divider(text) {
  const row = document.createElement("div");
  row.className = "ae-divider";
  row.textContent = text;
  return row;
}

function valueOf(record) {
  if (!("value" in record)) {
    try {
      record.value = JSON.parse(record.text);
    } catch {
      record.value = undefined;
    }
  }
  return record.value;
}

// A record as one line of NDJSON; one that was cut on the way here says so.
function line(record) {
  const { seq, ts, epoch, text } = record;
  const head = JSON.stringify({ epoch, seq, ts }).slice(0, -1);
  return valueOf(record) === undefined ? `${head},"cut":${JSON.stringify(text)}}` : `${head},"data":${text}}`;
}

// Flat objects read as names and values, anything else as it stands in the frame.
function pieces(record) {
  const { text } = record;
  if (text.length > LONG) return [`${text.slice(0, LONG)}…`];
  const value = valueOf(record);
  const isFlat = value && typeof value === "object" && !Array.isArray(value) && !Object.values(value).some((v) => v && typeof v === "object");
  if (!isFlat) return [text];
  return Object.entries(value).flatMap(([name, item]) => {
    const key = document.createElement("i");
    key.textContent = `${name} `;
    return [key, `${item}  `];
  });
}
