// The lanes of a session on one clock: what the server read of the ledger, drawn as SVG.
// The list beside it has the same events and is what screen readers and keyboards use.

import * as times from "./times.js";

const NAMESPACE = "http://www.w3.org/2000/svg";
const AXIS = 34;
const GROUP = 20;
const TALL = ["", "Topics"];
const ZOOMS = [30, 120, 300, 900, 3600, 0];
const STEPS = [1, 5, 15, 30, 60, 300, 900, 3600, 10800, 21600, 86400];
const NOW_AT = 0.9;
const PEOPLE = ["waiting"];
const BAD = ["lost", "failed", "late", "error", "unknown"];
const LOUD = [...PEOPLE, ...BAD];
const MARGIN = 3;

const zoomWord = (seconds) =>
  !seconds ? "all" : seconds < 60 ? `${seconds} s` : seconds < 3600 ? `${seconds / 60} min` : `${seconds / 3600} h`;

/** About how wide a text of the plot is. */
const wide = (text) => text.length * 6.2;

export function draw(name, attributes, parent, text) {
  const element = document.createElementNS(NAMESPACE, name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== null) element.setAttribute(key, value);
  }
  if (text !== undefined) element.textContent = text;
  parent.append(element);
  return element;
}

export class Lanes {
  /** `select(seq)` is called with the event of what is pressed. */
  constructor(page, select) {
    this.page = page;
    this.select = select;
    this.names = document.getElementById("ae-lane-names");
    this.plot = document.getElementById("ae-lane-plot");
    this.model = JSON.parse(document.getElementById("ae-lane-model").textContent);
    this.strips = JSON.parse(document.getElementById("ae-lane-strips")?.textContent ?? "[]");
    this.folded = new Set();
    this.isCompact = false;
    this.zoom = 1;
    this.at = 0;
    this.selected = Number(page.dataset.at) || 0;
    this.held = null;
    this.listen();
    if (!this.isLive()) this.fit();
    if (this.selected) this.centre();
    this.paint();
  }

  listen() {
    const press = (id, act) => document.getElementById(id)?.addEventListener("click", act);
    press("ae-lane-in", () => this.zoomBy(-1));
    press("ae-lane-out", () => this.zoomBy(1));
    press("ae-lane-follow", () => this.follow());
    for (const button of document.querySelectorAll("[data-lanes]")) {
      button.addEventListener("click", () => this.compact(button.dataset.lanes === "compact"));
    }
    this.names.addEventListener("click", (event) => {
      const group = event.target.closest("[data-group]")?.dataset.group;
      if (group === undefined) return;
      if (!this.folded.delete(group)) this.folded.add(group);
      this.paint();
      this.names.querySelector(`[data-group="${CSS.escape(group)}"]`)?.focus();
    });
    this.plot.addEventListener("click", (event) => {
      const seq = event.target.closest("[data-seq]")?.dataset.seq;
      if (Number(seq) && !this.hasMoved) this.choose(Number(seq));
    });
    this.plot.addEventListener("pointerdown", (event) => this.grab(event));
    new ResizeObserver(() => this.paint()).observe(this.plot);
    times.whenChosen(() => this.paint());
    setInterval(() => !document.hidden && this.isLive() && !this.held && this.paint(), 1000);
  }

  // What the page's socket asks for and brings

  frames() {
    return [{ type: "lanes", id: this.page.dataset.session }];
  }

  take(frame, live) {
    if (frame.type !== "lanes") return false;
    this.isReady = true;
    if (live.isHeld) {
      this.held = { ...this.held, ...frame };
    } else this.show(frame);
    return true;
  }

  show(frame) {
    this.model = frame.lanes ?? this.model;
    // Nothing is told of topics that are over; what is on tape stays.
    if (frame.strips?.length || this.isLive()) this.strips = frame.strips ?? this.strips;
    this.paint();
  }

  stopped() {
    this.held = {};
  }

  release() {
    const frame = this.held ?? {};
    this.held = null;
    this.show(frame);
  }

  // The window of time

  isLive() {
    return this.model.closed === null;
  }

  now() {
    return this.model.closed ?? times.now();
  }

  /** Until when goes what has not ended. */
  open() {
    return this.now();
  }

  /** From when to when is shown, in unix ms; `at` is where its end is held, 0 follows the clock. */
  window() {
    const now = this.now();
    const seconds = ZOOMS[this.zoom];
    if (!seconds) {
      const from = this.model.from - 1000;
      return [from, from + Math.max(1000, now - from) / NOW_AT];
    }
    const to = this.at || now + seconds * 1000 * (1 - NOW_AT);
    return [to - seconds * 1000, to];
  }

  fit() {
    this.zoom = ZOOMS.length - 1;
  }

  follow() {
    this.at = 0;
    if (!this.isLive()) this.fit();
    this.paint();
  }

  zoomBy(step) {
    const [from, to] = this.window();
    this.zoom = Math.min(Math.max(this.zoom + step, 0), ZOOMS.length - 1);
    const span = ZOOMS[this.zoom] * 1000;
    const isFollowing = !this.at && this.isLive();
    if (span && !isFollowing) this.at = (from + to) / 2 + span / 2;
    this.paint();
  }

  compact(is) {
    this.isCompact = is;
    for (const button of document.querySelectorAll("[data-lanes]")) {
      button.setAttribute("aria-pressed", String((button.dataset.lanes === "compact") === is));
    }
    this.paint();
  }

  grab(event) {
    if (event.button) return;
    const [from, to] = this.window();
    const perPixel = (to - from) / this.plot.clientWidth;
    this.hasMoved = false;
    const move = (moved) => {
      const by = moved.clientX - event.clientX;
      if (Math.abs(by) < 4 && !this.hasMoved) return;
      this.hasMoved = true;
      if (!ZOOMS[this.zoom]) return;
      this.at = to - by * perPixel;
      this.paint();
    };
    const leave = () => {
      window.removeEventListener("pointermove", move);
      window.removeEventListener("pointerup", leave);
    };
    window.addEventListener("pointermove", move);
    window.addEventListener("pointerup", leave);
  }

  choose(seq) {
    this.selected = seq;
    this.select(seq);
    this.paint();
  }

  /** Bring the selected event into the middle. */
  centre() {
    const found = this.all().find((item) => item[3] === this.selected);
    if (!found || !ZOOMS[this.zoom]) return;
    this.at = found[1] + ZOOMS[this.zoom] * 500;
  }

  all() {
    return this.model.groups.flatMap((group) => group.lanes.flatMap((lane) => lane.items));
  }

  // Drawing

  paint() {
    const width = this.plot.clientWidth;
    if (!width) return;
    const [from, to] = this.window();
    this.scale = { from, to, width, x: (ms) => ((ms - from) / (to - from)) * width };
    const rows = this.rows();
    const height = rows.reduce((sum, row) => sum + row.height, AXIS);
    const svg = document.createElementNS(NAMESPACE, "svg");
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", this.sentence());
    svg.setAttribute("width", width);
    svg.setAttribute("height", height);
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.patterns(svg);
    this.nowAt = Math.min(this.scale.x(this.now()), width);
    this.openAt = Math.min(this.scale.x(this.open()), width);
    this.grid(svg, rows, height);
    let top = AXIS;
    for (const row of rows) {
      if (row.draw) row.draw(svg, top, row.height);
      top += row.height;
    }
    this.flags(svg, height);
    this.clock(svg, height);
    this.finish(svg, height);
    this.plot.replaceChildren(svg);
    this.label(rows);
    const word = document.getElementById("ae-lane-zoom");
    if (word) word.textContent = zoomWord(ZOOMS[this.zoom]);
    const follow = document.getElementById("ae-lane-follow");
    const isFollowing = !this.at;
    follow?.setAttribute("aria-pressed", String(isFollowing));
    follow?.lastElementChild.replaceChildren(
      this.isLive() ? (isFollowing ? "Following now" : "Go to now") : "Show all",
    );
  }

  /** What a page of its own draws over everything. */
  finish() {}

  rows() {
    const show = this.page.dataset.show;
    const rows = [];
    for (const { title, lanes } of this.groups()) {
      const kept = lanes.filter((lane) => this.isWanted(title, lane, show));
      if (!kept.length) continue;
      if (title && title !== "Messages") rows.push({ title, height: GROUP, count: this.tally(title, kept) });
      if (this.folded.has(title)) continue;
      for (const lane of kept) {
        rows.push({
          lane,
          group: title,
          height: TALL.includes(title) ? 30 : 26,
          draw: (svg, top, height) => this.lane(svg, title, lane, top, height),
        });
      }
    }
    return rows;
  }

  groups() {
    const groups = this.model.groups.map(({ title, lanes }) => ({ title, lanes: this.merged(title, lanes) }));
    if (this.strips.length) {
      const lanes = this.strips.map((strip) => ({ name: strip.name, title: strip.name, note: strip.rate, items: [], strip }));
      groups.push({ title: "Topics", lanes });
    }
    const messages = groups.findIndex((group) => group.title === "Messages");
    if (messages >= 0) groups.push(...groups.splice(messages, 1));
    return groups;
  }

  merged(title, lanes) {
    const isMerged = this.isCompact && ["Runs", "Tool calls"].includes(title) && lanes.length > 1;
    if (!isMerged) return lanes;
    const items = lanes.flatMap((lane) => lane.items).sort((a, b) => a[1] - b[1]);
    return [{ name: `All ${title.toLowerCase()}`, note: "", items }];
  }

  isWanted(title, lane, show) {
    if (show === "errors") return lane.items.some(([word]) => BAD.includes(word)) || Boolean(lane.strip?.quiet);
    if (show === "people") return lane.items.some(([word]) => word === "waiting" || word === "user");
    if (show === "agents") return ["Runs", "Tool calls", "Messages", ""].includes(title);
    if (show === "data") return ["Participants", "Topics", ""].includes(title);
    return true;
  }

  tally(title, lanes) {
    if (title === "Topics") return { text: lanes.length };
    if (title !== "Participants") return { text: lanes.reduce((sum, lane) => sum + lane.items.length, 0) };
    const present = lanes.filter((lane) => ["registered", "ready", "running"].includes(lane.items.at(-1)?.[0])).length;
    return { text: `${present}/${lanes.length}`, isOdd: this.isLive() && present < lanes.length };
  }

  label(rows) {
    const axis = document.createElement("div");
    axis.className = "ae-lane-axis";
    const made = rows.map((row) => {
      const element = document.createElement(row.title ? "button" : "div");
      element.className = row.title ? "ae-lane-group" : "ae-lane-name";
      element.style.height = `${row.height}px`;
      const name = document.createElement("span");
      const note = document.createElement("span");
      name.className = "ae-clip";
      note.className = "ae-lane-note";
      if (row.title) {
        element.type = "button";
        element.dataset.group = row.title;
        element.setAttribute("aria-expanded", String(!this.folded.has(row.title)));
        name.textContent = row.title;
        note.textContent = row.count.text;
        note.toggleAttribute("data-odd", Boolean(row.count.isOdd));
      } else {
        element.title = row.lane.name;
        name.textContent = row.lane.title;
        note.textContent = row.lane.note;
        note.toggleAttribute("data-bad", row.lane.note === "high");
        note.toggleAttribute("data-odd", Boolean(row.lane.strip?.quiet));
        element.toggleAttribute("data-selected", this.isSelected(row.lane));
      }
      element.append(name, note);
      return element;
    });
    const focused = document.activeElement?.dataset?.group;
    this.names.replaceChildren(axis, ...made);
    if (focused !== undefined && focused !== null) {
      this.names.querySelector(`[data-group="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
    }
  }

  isSelected(lane) {
    return this.selected > 0 && lane.items.some((item) => item[3] === this.selected);
  }

  patterns(svg) {
    const defs = draw("defs", {}, svg);
    for (const [id, gap] of [["people", 5], ["silence", 7]]) {
      const pattern = draw("pattern", { id: `ae-hatch-${id}`, width: gap, height: gap, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" }, defs);
      draw("line", { class: `ae-hatch-${id}`, x1: 0, y1: 0, x2: 0, y2: gap }, pattern);
    }
  }

  grid(svg, rows, height) {
    const { from, to, x, width } = this.scale;
    draw("rect", { class: "ae-lane-future", x: this.nowAt, y: 0, width: Math.max(width - this.nowAt, 0), height }, svg);
    let top = AXIS;
    for (const row of rows) {
      if (row.title) draw("rect", { class: "ae-lane-heading", x: 0, y: top, width, height: row.height }, svg);
      else if (this.isSelected(row.lane)) draw("rect", { class: "ae-lane-chosen", x: 0, y: top, width, height: row.height }, svg);
      top += row.height;
      draw("line", { class: "ae-lane-rule", x1: 0, x2: width, y1: top - 0.5, y2: top - 0.5 }, svg);
    }
    const step = STEPS.find((one) => ((one * 1000) / (to - from)) * width >= 64) ?? STEPS.at(-1);
    const shift = new Date(from).getTimezoneOffset() * (step > 3600 ? 60000 : 0);
    for (let at = Math.ceil((from - shift) / (step * 1000)) * step * 1000 + shift; at < to; at += step * 1000) {
      const text = times.short(at);
      const isMinute = at % 60000 === 0;
      draw("line", { class: isMinute ? "ae-lane-minute" : "ae-lane-tick", x1: x(at), x2: x(at), y1: AXIS, y2: height }, svg);
      const label = times.areAgo() ? text : isMinute ? text.slice(0, 5) : text.length === 8 ? text.slice(5) : text;
      if (x(at) > 14 && x(at) < width - 14) draw("text", { class: isMinute ? "ae-lane-hour" : "ae-lane-second", x: x(at), y: 13 }, svg, label);
    }
    draw("line", { class: "ae-lane-rule", x1: 0, x2: width, y1: AXIS - 0.5, y2: AXIS - 0.5 }, svg);
  }

  flags(svg, height) {
    const { x, width } = this.scale;
    const flags = [...this.model.flags].sort((a, b) => a[0] - b[0]);
    let taken = 0;
    flags.forEach(([at, name, seq, kind], index) => {
      const left = x(at);
      if (left < 0 || left > width) return;
      const needs = wide(name) + 8;
      const next = flags[index + 1] ? x(flags[index + 1][0]) : width;
      const isRoomy = left - needs > taken;
      const isFree = left + needs + 10 < next;
      taken = left + (isRoomy || !isFree ? 10 : needs + 10);
      const group = draw("g", { class: "ae-lane-flag", "data-seq": seq, "data-kind": kind }, svg);
      if (kind === "checkpoint") draw("line", { x1: left, x2: left, y1: 18, y2: height }, group);
      draw("path", { d: `M${left} 31V19.5h8l-2 3 2 3h-8` }, group);
      draw("title", {}, group, `${name}, ${times.clock(at)}`);
      if (!isRoomy && !isFree) return;
      draw("text", { x: isRoomy ? left - 5 : left + 11, y: 28, "text-anchor": isRoomy ? "end" : "start" }, group, name);
    });
  }

  clock(svg, height) {
    const left = this.nowAt;
    const { width } = this.scale;
    if (left <= 0 || this.scale.x(this.now()) > width) return;
    const text = times.short(this.now());
    draw("line", { class: "ae-lane-now", x1: left, x2: left, y1: AXIS - 4, y2: height }, svg);
    const box = Math.min(Math.max(left - 28, 0), width - 56);
    draw("rect", { class: "ae-lane-clock", x: box, y: 16, width: 56, height: 16, rx: 4 }, svg);
    draw("text", { class: "ae-lane-clock-text", x: box + 28, y: 28 }, svg, text);
  }

  lane(svg, title, lane, top, height) {
    if (lane.strip?.veil) return this.hatched(svg, "veiled", 0, this.scale.width, top, height, lane.strip.veil);
    if (lane.strip) return this.strip(svg, lane.strip, top, height);
    const middle = top + height / 2;
    const over = draw("g", {}, svg);
    let beyond = -Infinity;
    let block = null;
    for (const [index, item] of lane.items.entries()) {
      const [word, start, end, seq, label, until] = item;
      const left = Math.max(this.scale.x(start), -8);
      const right = Math.min(end === null ? this.openAt : this.scale.x(end), this.scale.width + 8);
      if (right < 0 || left > this.scale.width) continue;
      const isQuiet = !LOUD.includes(word) && right - left < MARGIN && title !== "Messages" && title !== "";
      if (isQuiet && left - beyond < MARGIN) {
        // What is too small to be told apart becomes one block with its number.
        if (block) {
          block.count += 1;
          block.rect.setAttribute("width", Math.max(right - block.left, 4));
          block.title.textContent = `${block.count} in a row`;
        }
        beyond = right;
        continue;
      }
      const group = draw("g", { class: "ae-item", "data-seq": seq, "data-word": word, "data-selected": seq === this.selected ? "" : undefined }, BAD.includes(word) ? over : svg);
      const tip = draw("title", {}, group, [lane.name, word, label, times.clock(start)].filter(Boolean).join(", "));
      const next = lane.items[index + 1];
      const room = { before: left - Math.max(beyond, 0), after: (next ? this.scale.x(next[1]) : this.scale.width) - right };
      const rect = this.item(group, title, { word, start, left, right, middle, label, until, room, isOpen: end === null });
      beyond = right;
      block = isQuiet ? { rect, left, count: 1, title: tip } : null;
    }
    // What is wrong lies over what went on beneath it.
    svg.append(over);
  }

  item(group, title, one) {
    const { word, left, right, middle, label } = one;
    const bar = (height, least, extra = {}) => {
      const width = Math.max(right - left, least);
      return draw("rect", { x: left, y: middle - height / 2, width, height, rx: Math.min(3, height / 3), ...extra }, group);
    };
    const inside = (text, room = 12) => {
      if (right - Math.max(left, 0) > wide(text) + room) {
        draw("text", { class: "ae-item-in", x: (Math.max(left, 0) + right) / 2, y: middle + 4, "text-anchor": "middle" }, group, text);
      }
    };
    if (title === "Messages") return draw("circle", { cx: left, cy: middle, r: 3.5 }, group);
    if (title === "" && word !== "error") {
      const rect = bar(10, 3);
      if (right - left > 60) draw("text", { class: "ae-item-in", x: Math.max(left, 0) + 8, y: middle + 4 }, group, word);
      return rect;
    }
    if (title === "Participants") return this.participant(group, one, bar, inside);
    if (title === "Runs") {
      if (word === "waiting") bar(15, 6, { class: "ae-wait-ground" });
      const rect = word === "queued" ? bar(4, 3) : word === "waiting" ? bar(15, 6, { class: "ae-wait" }) : bar(14, 4);
      const isNumbered = label && word !== "queued";
      if (isNumbered && right - left > 14 && word !== "waiting") draw("text", { class: "ae-item-in", x: Math.max(left, 0) + 5, y: middle + 4 }, group, label);
      else if (isNumbered && one.room.before > wide(label) + 8) draw("text", { class: "ae-item-by", x: left - 4, y: middle + 4, "text-anchor": "end" }, group, label);
      return rect;
    }
    if (word === "waiting") return this.wait(group, one, bar);
    return bar(word === "error" ? 14 : 12, 4);
  }

  participant(group, { word, left, right }, bar, inside) {
    if (["late", "lost", "failed"].includes(word)) {
      const rect = bar(15, 6);
      inside(word);
      return rect;
    }
    if (word === "stopped") return draw("rect", { x: left, y: bar(0, 0).getAttribute("y") - 4, width: 3, height: 8 }, group);
    return word === "running" ? bar(8, 2) : bar(8, Math.min(4, Math.max(right - left, 2)));
  }

  /** A wait for people: hatched, and framed on to when it would end by itself. */
  wait(group, { start, left, right, middle, label, until, room, isOpen }, bar) {
    bar(15, 6, { class: "ae-wait-ground" });
    const rect = bar(15, 6, { class: "ae-wait" });
    if (isOpen) {
      const text = `waiting ${times.duration((this.now() - start) / 1000)}`;
      if (room.before > wide(text) + 10) draw("text", { class: "ae-item-by", x: left - 6, y: middle + 4, "text-anchor": "end" }, group, text);
      if (until) {
        const end = Math.min(this.scale.x(until), this.scale.width - 1);
        if (end > right) draw("rect", { class: "ae-wait-on", x: right, y: middle - 7.5, width: end - right, height: 15 }, group);
        if (end - right > 66) draw("text", { class: "ae-item-by", x: right + 6, y: middle + 4 }, group, `to ${times.short(until)}`);
      }
    } else if (label && room.after > wide(label) + 24) {
      draw("text", { class: "ae-item-after", x: Math.max(right, left + 6) + 10, y: middle + 4 }, group, label);
    }
    return rect;
  }

  strip(svg, { rates, step, at, quiet, silence }, top, height) {
    const { x, width } = this.scale;
    const foot = top + height - 4;
    const highest = Math.max(...rates, 0);
    const column = Math.max((x(at) - x(at - step)) * 0.76, 1);
    const group = draw("g", { class: "ae-strip-rates" }, svg);
    rates.forEach((rate, index) => {
      const left = x(at - (rates.length - index) * step);
      const tall = highest ? (rate / highest) * (height - 8) : 0;
      if (tall && left + column > 0 && left < width) {
        draw("rect", { x: left, y: foot - Math.max(tall, 1), width: column, height: Math.max(tall, 1) }, group);
      }
    });
    if (!quiet) return;
    const left = Math.max(x(at - quiet), 0);
    const wide = Math.max(this.nowAt - left, 2);
    this.hatched(svg, "silent", left, wide, top, height, silence);
  }

  /** A stretch of a topic's lane in which nothing is drawn, and why. */
  hatched(svg, word, left, wide, top, height, why) {
    const frame = draw("g", { class: `ae-strip-${word}` }, svg);
    const place = { x: left, y: top + 4, width: wide, height: height - 8, rx: 2 };
    draw("rect", place, frame);
    draw("rect", { class: "ae-strip-hatch", ...place }, frame);
    if (wide > 60) draw("text", { x: left + wide / 2, y: top + height / 2 + 4, "text-anchor": "middle" }, frame, why);
  }

  sentence() {
    const counts = this.model.groups
      .filter(({ title }) => title)
      .map(({ title, lanes }) => `${lanes.length} ${title === "Messages" ? "of messages" : title.toLowerCase()}`);
    return `Timeline of the session${counts.length ? `: lanes of ${counts.join(", ")}` : ""}. The list has the same events.`;
  }
}
