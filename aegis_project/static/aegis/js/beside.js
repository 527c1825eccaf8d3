// The card beside the inbox: it follows what somebody chooses, and the address follows it.

import { Card } from "./card.js";
import { tell } from "./live.js";

const wide = matchMedia("(min-width: 1200px)");
const CARD = /\/approval\/([0-9a-f-]{36})\/change\/$/;
const GONE = { message: "The server did not answer. Choose it again.", code: "OFFLINE" };
const inbox = location.pathname;

const asked = () => new URL(location.href).searchParams.get("card") ?? "";
const idOf = (row) => row.querySelector("[data-row]").dataset.row;

export class Beside extends Card {
  constructor() {
    super();
    this.place = document.getElementById("ae-pane");
    this.nothing = [...this.place.childNodes];
    this.id = "";
    // What the page chose by itself is only looked at; keys decide on what somebody chose.
    this.isChosen = false;
    document.addEventListener("click", (event) => this.click(event));
    window.addEventListener("popstate", () => this.follow());
    wide.addEventListener("change", () => this.follow());
  }

  start(live) {
    this.live = live;
    this.follow();
  }

  get rows() {
    return [...document.querySelectorAll("#result_list .data-row")];
  }

  get isReady() {
    return !this.isLoading && (!this.root || this.isHeard);
  }

  set isReady(is) {
    this.isHeard = is;
  }

  /** Show what the address says, or else what is first. */
  follow() {
    const id = asked();
    if (!wide.matches) {
      if (id) location.replace(`${inbox}${id}/change/`);
      else this.show("");
      return;
    }
    this.isChosen = Boolean(id);
    this.show(id || (this.rows[0] ? idOf(this.rows[0]) : ""));
  }

  /** The rows are others now: mark the one that is shown, or show the first. */
  refresh() {
    if (this.id) this.mark();
    else this.follow();
  }

  choose(id) {
    this.isChosen = true;
    if (asked() !== id) {
      const url = new URL(location.href);
      url.searchParams.set("card", id);
      history.pushState(null, "", url);
    }
    return this.show(id);
  }

  async show(id) {
    if (id === this.id) return;
    this.id = id;
    this.shut();
    this.mark();
    this.load(Boolean(id));
    if (!id) this.crumb("");
    if (!id) return this.place.replaceChildren(...this.nothing);
    const answer = await fetch(`${inbox}${id}/card/`).catch(() => null);
    const html = await answer?.text().catch(() => null);
    if (id !== this.id) return;
    if (answer?.redirected) return location.reload();
    this.load(false);
    if (html) this.fill(html, answer.ok);
    else {
      this.id = "";
      this.place.replaceChildren(...this.nothing);
      tell(document.getElementById("ae-problem"), GONE);
    }
    this.live.show();
  }

  load(is) {
    this.isLoading = is;
    this.place.setAttribute("aria-busy", String(is));
    this.live.show();
  }

  fill(html, isCard) {
    const template = document.createElement("template");
    template.innerHTML = html;
    this.place.replaceChildren(template.content);
    this.place.scrollTop = 0;
    this.crumb(this.place.querySelector("[data-crumb]")?.dataset.crumb);
    if (!isCard) return;
    this.open(this.place.querySelector(".ae-card"));
    document.body.classList.toggle("ae-production", "production" in this.said);
    this.frames().forEach((frame) => this.live.send(frame));
  }

  /** The header says which card is shown, behind the name of the inbox. */
  crumb(name) {
    document.querySelectorAll("[data-of-card]").forEach((one) => one.remove());
    if (!name) return;
    const arrow = document.createElement("span");
    arrow.className = "material-symbols-outlined";
    arrow.setAttribute("aria-hidden", "true");
    arrow.textContent = "chevron_right";
    const title = document.createElement("span");
    title.textContent = name;
    for (const one of [arrow, title]) one.dataset.ofCard = "";
    document.querySelector("#header-inner h1")?.append(arrow, title);
  }

  mark() {
    for (const row of this.rows) {
      const link = row.querySelector("th a");
      if (idOf(row) === this.id) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  }

  move(step) {
    const { rows } = this;
    const isHere = (row) => (this.isChosen ? idOf(row) === this.id : row.contains(document.activeElement));
    const now = rows.findIndex(isHere);
    const first = step > 0 ? 0 : rows.length - 1;
    const next = rows[now < 0 ? first : Math.min(Math.max(now + step, 0), rows.length - 1)];
    next?.querySelector("th a").focus();
    if (next && wide.matches) this.choose(idOf(next));
  }

  /** Tick the row that has the focus, or is chosen, or no longer. */
  tick() {
    const focused = document.activeElement.closest("#result_list tr");
    const row = focused ?? this.rows.find((one) => this.isChosen && idOf(one) === this.id);
    row?.querySelector("input.action-select")?.click();
  }

  /** Do it to the card that somebody chose; what is only looked at is chosen by that. */
  act(verb) {
    if (this.isChosen) this[verb]();
    else if (this.id) this.choose(this.id);
    else return false;
  }

  click(event) {
    if (event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const link = event.target.closest("#ae-pane a, #result_list th a");
    const row = event.target.closest("#result_list .data-row");
    const isBox = event.target.closest("input, label, .action-checkbox");
    const id = link ? CARD.exec(link.pathname)?.[1] : row && !isBox && idOf(row);
    if (!id) return;
    if (wide.matches) {
      event.preventDefault();
      const isByKey = !event.detail;
      this.choose(id).then(() => isByKey && this.focus());
    } else if (!link) row.querySelector("th a").click();
  }
}
