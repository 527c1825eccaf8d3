// The card on which people decide: nothing counts as decided until the server says so.

import { course } from "./course.js";
import { Edits } from "./edits.js";
import { hold } from "./hold.js";
import { tell } from "./live.js";
import { morph } from "./morph.js";
import * as times from "./times.js";

const HURRY_SECONDS = 30;
const OFFLINE = { message: "The server did not answer. Nothing was confirmed.", code: "OFFLINE" };
const at = (id) => document.getElementById(id);

// The part that shows the call stands in a place of its own: the form has its heading's id.
const PLACES = { what: "ae-what-part" };

/** One card of a page; another one can be opened in its place. */
export class Card {
  constructor() {
    this.shut();
    setInterval(() => this.hurry(), 1000);
  }

  /** Work with the card that `root` shows. */
  open(root) {
    this.shut();
    this.root = root;
    this.said = root.dataset;
    this.isHigh = "high" in this.said;
    this.form = at("ae-decision");
    this.isOpen = Boolean(this.form);
    this.edits = null;
    times.writeAll(root);
    course.show();
    root.addEventListener("click", (event) => event.target.closest("#ae-recheck") && this.recheck());
    if (!this.form) return;
    this.bar = at("ae-bar");
    this.dialog = at("ae-ask");
    this.edits = new Edits(this.form, this.said.digest);
    this.listen();
  }

  /** Nothing is decided on: there is no card, or the next one is on its way. */
  shut() {
    if (this.dialog?.open) this.dialog.close();
    Object.assign(this, { root: null, isOpen: false, isReady: false, held: {}, heldOpen: undefined, count: 0 });
  }

  listen() {
    const { dialog } = this;
    this.form.addEventListener("submit", (event) => event.preventDefault());
    if (this.isHigh) this.letHold(at("ae-approve"));
    else at("ae-approve").addEventListener("click", () => this.approve());
    at("ae-reject").addEventListener("click", () => this.reject());
    at("ae-claim").addEventListener("click", () => this.claim());
    at("ae-hand-over").addEventListener("click", () => this.handOver());
    at("ae-ask-cancel").addEventListener("click", () => this.giveUp());
    dialog.addEventListener("cancel", () => this.giveUp());
    dialog.addEventListener("input", () => this.ready());
    dialog.querySelector("form").addEventListener("submit", (event) => {
      event.preventDefault();
      dialog.close();
      this.send(this.said.decide, { [dialog.dataset.verb]: "1" });
    });
  }

  /** What is of high risk is approved by a button that is held, or by a word that is written. */
  letHold(button) {
    hold(button, {
      isFree: () => this.isFree,
      held: () => this.isFree && this.send(this.said.decide, { approve: "1", reason: "", confirm: this.said.tool }),
      pressed: () => this.approve(),
      holding: (is) => (at("ae-note").textContent = is ? "Keep holding…" : ""),
    });
  }

  get isFree() {
    return this.isOpen && !this.isBusy && !this.isGone;
  }

  // What the socket says

  frames() {
    return this.root ? [{ type: "approval", id: this.said.approval }] : [];
  }

  take(frame, live) {
    if (frame.type !== "approval") return false;
    if (frame.id !== this.said?.approval || !this.root) return true;
    this.isReady = true;
    if (live.isHeld) {
      Object.assign(this.held, frame.parts);
      this.heldOpen = frame.is_open;
      this.count = Object.keys(this.held).length;
    } else this.paint(frame.parts, frame.is_open);
    return true;
  }

  paint(parts, isOpen) {
    for (const [name, html] of Object.entries(parts)) {
      const element = at(PLACES[name] ?? `ae-${name}`);
      if (!element) continue;
      morph(element, html);
      times.writeAll(element);
    }
    course.show();
    if (!isOpen && this.isOpen) this.fold();
    this.allow();
  }

  /** It is decided, here or elsewhere: what is left is to read how. */
  fold() {
    this.isOpen = false;
    const { form, bar, dialog } = this;
    const isHere = [form, bar, dialog].some((part) => part.contains(document.activeElement));
    if (dialog.open) dialog.close();
    for (const part of [form, bar, at("ae-hand")]) part.remove();
    if (isHere) this.focus();
  }

  release() {
    if (!this.root) return;
    this.paint(this.held, this.heldOpen ?? this.isOpen);
    this.held = {};
    this.count = 0;
  }

  focus() {
    at("ae-card-title")?.focus({ preventScroll: true });
  }

  // What people say

  /** Ask the server; meanwhile the bar says that it records, and nothing can be said twice. */
  async send(url, said) {
    const { root } = this;
    const { tool } = this.said;
    const body = new FormData(this.form);
    for (const [name, value] of Object.entries(said)) body.set(name, value);
    this.busy(true);
    const headers = { Accept: "application/json" };
    const answer = await fetch(url, { method: "POST", body, headers }).catch(() => null);
    const found = await answer?.json().catch(() => null);
    const error = answer?.ok ? null : (found?.error ?? OFFLINE);
    if (root !== this.root) {
      // Somebody went on to another card; the row of this one says how it was decided.
      if (error && at("ae-problem")) tell(at("ae-problem"), { ...error, message: `${tool}: ${error.message}` });
      return false;
    }
    this.busy(false);
    if (error) {
      this.refused(error);
      return false;
    }
    at("ae-problem").replaceChildren();
    this.paint(found.parts, found.is_open);
    if (!this.isOpen) this.focus();
    return true;
  }

  /** Have the server measure again what the decision rests on; it says when, and what came of it. */
  async recheck() {
    const { root } = this;
    const button = at("ae-recheck");
    if (button.getAttribute("aria-disabled") === "true") return;
    button.setAttribute("aria-disabled", "true");
    at("ae-checked").textContent = "Measuring…";
    const answer = await fetch(this.said.measure, { headers: { Accept: "application/json" } }).catch(() => null);
    const found = await answer?.json().catch(() => null);
    if (root !== this.root) return;
    at("ae-recheck")?.removeAttribute("aria-disabled");
    if (!answer?.ok || !found) {
      at("ae-checked").textContent = "";
      return tell(at("ae-problem"), found?.error ?? { ...OFFLINE, message: "The server did not answer. Nothing was measured." });
    }
    at("ae-problem").replaceChildren();
    const hadFocus = button === document.activeElement;
    this.paint(found.parts, found.is_open);
    morph(at("ae-checked"), found.checked);
    times.writeAll(at("ae-checked"));
    if (hadFocus && !button.isConnected) this.focus();
  }

  busy(is) {
    if (!this.bar.isConnected) return;
    this.bar.setAttribute("aria-busy", String(is));
    at("ae-note").textContent = is ? "Recording…" : "";
    for (const button of this.bar.querySelectorAll("button")) button.disabled = is;
    this.allow();
  }

  get isBusy() {
    return this.bar.getAttribute("aria-busy") === "true";
  }

  get isGone() {
    return Boolean(at("ae-gone"));
  }

  /** Nothing is approved for an agent that is gone; the strip says so. */
  allow() {
    const button = at("ae-approve");
    if (!button || this.isBusy) return;
    button.disabled = this.isGone;
    if (this.isGone) button.setAttribute("aria-describedby", "ae-gone");
    else if (this.isHigh) button.setAttribute("aria-describedby", "ae-approve-how");
    else button.removeAttribute("aria-describedby");
  }

  refused(error) {
    if (error.url) return location.assign(error.url);
    tell(at("ae-problem"), error);
    this.edits?.fault(error.details?.fields ?? {});
  }

  approve() {
    if (!this.isFree) return;
    if (this.isHigh) this.ask("approve");
    else this.send(this.said.decide, { approve: "1", reason: "" });
  }

  reject() {
    if (this.isOpen && !this.isBusy) this.ask("reject");
  }

  edit() {
    if (this.isOpen) this.edits.toggle();
  }

  ask(verb) {
    const isApproval = verb === "approve";
    const needs = !isApproval && "needsReason" in this.said;
    this.dialog.dataset.verb = verb;
    at("ae-ask-title").textContent = `${isApproval ? "Approve" : "Reject"} ${this.said.tool}?`;
    at("ae-ask-effect").textContent = isApproval
      ? `High risk. ${this.edits.sentence()}`
      : "Nothing is called. The agent is told your reason.";
    at("ae-ask-word").hidden = !isApproval;
    at("ae-ask-needs").textContent = needs ? "needed here" : "optional";
    at("id_reason").required = needs;
    at("id_confirm").value = "";
    at("ae-ask-go").textContent = isApproval ? "Approve" : "Reject";
    this.ready();
    this.dialog.showModal();
    (isApproval ? at("ae-ask-cancel") : at("id_reason")).focus();
  }

  /** Whether the dialog may go on; it says so at its button. */
  ready() {
    const isMeant = this.dialog.dataset.verb === "reject" || at("id_confirm").value === this.said.tool;
    const isReasoned = !at("id_reason").required || at("id_reason").value.trim();
    at("ae-ask-go").disabled = !(isMeant && isReasoned);
  }

  giveUp() {
    at("id_reason").value = at("id_confirm").value = "";
    this.dialog.close();
  }

  async claim() {
    if (!this.isOpen || this.isBusy) return;
    const isMine = at("ae-claim").getAttribute("aria-pressed") === "true";
    if (await this.send(this.said.claim, isMine ? { release: "1" } : {})) this.mark(!isMine);
  }

  mark(isMine) {
    at("ae-claim").setAttribute("aria-pressed", String(isMine));
    at("ae-claim").firstElementChild.textContent = isMine ? "Let go" : "Claim";
  }

  async handOver() {
    if (!this.isOpen || this.isBusy) return;
    if (await this.send(this.said.claim, { to: at("ae-hand-to").value })) this.mark(false);
  }

  /** Who cannot see the clock hears once that little time is left. */
  hurry() {
    const until = document.querySelector("#ae-head time[data-form=until]");
    if (!this.isOpen || !until || at("ae-hurry").textContent) return;
    if (Date.parse(until.dateTime) - times.now() < HURRY_SECONDS * 1000) {
      at("ae-hurry").textContent = "Less than 30 seconds are left to decide.";
    }
  }
}
