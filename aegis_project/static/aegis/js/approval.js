// The card on which people decide: nothing counts as decided until the server says so.

import { Edits } from "./edits.js";
import * as keys from "./keys.js";
import { Live, tell } from "./live.js";
import { morph } from "./morph.js";
import * as times from "./times.js";

const page = document.getElementById("ae-approval");
const form = document.getElementById("ae-decision");
const bar = document.getElementById("ae-bar");
const dialog = document.getElementById("ae-ask");
const problem = document.getElementById("ae-problem");
const at = (id) => document.getElementById(id);
const isHigh = "high" in page.dataset;
const HURRY_SECONDS = 30;

// The part that shows the call stands in a place of its own: the form has its heading's id.
const PLACES = { what: "ae-what-part" };

class Card {
  constructor() {
    this.held = {};
    this.isOpen = Boolean(form);
  }

  frames() {
    return [{ type: "approval", id: page.dataset.approval }];
  }

  take(frame, live) {
    if (frame.type !== "approval") return false;
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
      morph(element, html);
      times.writeAll(element);
    }
    if (!isOpen && this.isOpen) this.fold();
    allow();
  }

  /** It is decided, here or elsewhere: what is left is to read how. */
  fold() {
    this.isOpen = false;
    const isHere = [form, bar, dialog].some((part) => part.contains(document.activeElement));
    if (dialog.open) dialog.close();
    form.remove();
    bar.remove();
    at("ae-hand").remove();
    if (isHere) at("ae-card-title").focus({ preventScroll: true });
  }

  release() {
    this.paint(this.held, this.heldOpen ?? this.isOpen);
    this.held = {};
    this.count = 0;
  }
}

/** Ask the server; meanwhile the bar says that it records, and nothing can be said twice. */
async function send(url, said) {
  const body = new FormData(form);
  for (const [name, value] of Object.entries(said)) body.set(name, value);
  busy(true);
  const headers = { Accept: "application/json" };
  const answer = await fetch(url, { method: "POST", body, headers }).catch(() => null);
  const found = await answer?.json().catch(() => null);
  busy(false);
  if (answer?.ok) {
    problem.replaceChildren();
    card.paint(found.parts, found.is_open);
    if (!card.isOpen) at("ae-card-title").focus({ preventScroll: true });
    return true;
  }
  refused(found?.error ?? { message: "The server did not answer. Nothing was confirmed.", code: "OFFLINE" });
  return false;
}

function busy(is) {
  if (!bar.isConnected) return;
  bar.setAttribute("aria-busy", String(is));
  at("ae-note").textContent = is ? "Recording…" : "";
  for (const button of bar.querySelectorAll("button")) button.disabled = is;
  allow();
}

/** Nothing is approved for an agent that is gone; the strip says so. */
function allow() {
  const button = at("ae-approve");
  if (!button || isBusy()) return;
  button.disabled = isGone();
  if (isGone()) button.setAttribute("aria-describedby", "ae-gone");
  else button.removeAttribute("aria-describedby");
}

function refused(error) {
  if (error.url) return location.assign(error.url);
  tell(problem, error);
  edits?.fault(error.details?.fields ?? {});
}

const isGone = () => Boolean(at("ae-gone"));
const isBusy = () => bar.getAttribute("aria-busy") === "true";

function decide(verb) {
  return send(location.pathname, { [verb]: "1" });
}

function approve() {
  if (!card.isOpen || isBusy() || isGone()) return;
  if (isHigh) ask("approve");
  else send(location.pathname, { approve: "1", reason: "" });
}

function reject() {
  if (card.isOpen && !isBusy()) ask("reject");
}

function ask(verb) {
  const isApproval = verb === "approve";
  const needs = !isApproval && "needsReason" in page.dataset;
  dialog.dataset.verb = verb;
  at("ae-ask-title").textContent = `${isApproval ? "Approve" : "Reject"} ${page.dataset.tool}?`;
  at("ae-ask-effect").textContent = isApproval
    ? `High risk. ${edits.sentence()}`
    : "Nothing is called. The agent is told your reason.";
  at("ae-ask-word").hidden = !isApproval;
  at("ae-ask-needs").textContent = needs ? "needed here" : "optional";
  at("id_reason").required = needs;
  at("id_confirm").value = "";
  at("ae-ask-go").textContent = isApproval ? "Approve" : "Reject";
  ready();
  dialog.showModal();
  (isApproval ? at("ae-ask-cancel") : at("id_reason")).focus();
}

/** Whether the dialog may go on; it says so at its button. */
function ready() {
  const isMeant = dialog.dataset.verb === "reject" || at("id_confirm").value === page.dataset.tool;
  const isReasoned = !at("id_reason").required || at("id_reason").value.trim();
  at("ae-ask-go").disabled = !(isMeant && isReasoned);
}

function giveUp() {
  at("id_reason").value = at("id_confirm").value = "";
  dialog.close();
}

async function claim() {
  if (!card.isOpen || isBusy()) return;
  const isMine = at("ae-claim").getAttribute("aria-pressed") === "true";
  if (!(await send(page.dataset.claim, isMine ? { release: "1" } : {}))) return;
  mark(!isMine);
}

function mark(isMine) {
  at("ae-claim").setAttribute("aria-pressed", String(isMine));
  at("ae-claim").firstElementChild.textContent = isMine ? "Let go" : "Claim";
}

async function handOver() {
  if (!card.isOpen || isBusy()) return;
  if (await send(page.dataset.claim, { to: at("ae-hand-to").value })) mark(false);
}

function move(step) {
  const links = [...document.querySelectorAll("#ae-queue a")];
  const now = links.findIndex((link) => link.getAttribute("aria-current"));
  const next = links[now < 0 ? 0 : now + step];
  if (next) location.assign(next.href);
}

/** Who cannot see the clock hears once that little time is left. */
function hurry() {
  const until = document.querySelector("#ae-head time[data-form=until]");
  if (!card.isOpen || !until || at("ae-hurry").textContent) return;
  if (Date.parse(until.dateTime) - times.now() < HURRY_SECONDS * 1000) {
    at("ae-hurry").textContent = "Less than 30 seconds are left to decide.";
  }
}

times.start();
const card = new Card();
const edits = form ? new Edits(form) : null;
if (form) {
  form.addEventListener("submit", (event) => event.preventDefault());
  at("ae-approve").addEventListener("click", approve);
  at("ae-reject").addEventListener("click", reject);
  at("ae-claim").addEventListener("click", claim);
  at("ae-hand-over").addEventListener("click", handOver);
  at("ae-ask-cancel").addEventListener("click", giveUp);
  dialog.addEventListener("cancel", giveUp);
  dialog.addEventListener("input", ready);
  dialog.querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    dialog.close();
    decide(dialog.dataset.verb);
  });
  setInterval(hurry, 1000);
}
const live = new Live([card]);
live.start();
keys.start({
  a: approve,
  r: reject,
  c: claim,
  e: () => card.isOpen && edits.toggle(),
  j: () => move(1),
  k: () => move(-1),
});
