// The lever: nothing happens on the page until the server says that it happened.

import { tell } from "./live.js";

const FINAL = ["complete", "end"];

export class Lever {
  constructor() {
    this.form = document.getElementById("ae-lever-form");
    this.place = document.getElementById("ae-lever");
    this.problem = document.getElementById("ae-problem");
    this.dialog = document.getElementById("ae-ask");
    this.form.addEventListener("submit", (event) => this.pulled(event));
    this.dialog.querySelector("form").addEventListener("submit", (event) => this.answered(event));
    this.place.addEventListener("click", (event) => {
      const button = event.target.closest("[data-more]");
      if (button) this.more(button.getAttribute("aria-expanded") === "false");
    });
    document.addEventListener("click", (event) => {
      if (!this.place.contains(event.target)) this.more(false);
    });
    document.addEventListener("keydown", (event) => {
      const open = this.place.querySelector("[data-more][aria-expanded=true]");
      if (event.key !== "Escape" || !open) return;
      this.more(false);
      open.focus();
    });
    document.getElementById("ae-ask-cancel").addEventListener("click", () => this.dialog.close());
  }

  // On a phone the bar has the two verbs that are needed at once; the rest opens above it.
  more(isOpen) {
    this.place.querySelector("[data-more]")?.setAttribute("aria-expanded", String(isOpen));
  }

  pulled(event) {
    event.preventDefault();
    this.more(false);
    const button = event.submitter;
    if (!button?.dataset.verb) return;
    if (button.getAttribute("aria-disabled")) {
      tell(this.problem, { message: button.title, code: "INVALID_STATE" });
    } else if ("asks" in button.dataset) {
      this.ask(button);
    } else {
      this.post(button.dataset.verb, "");
    }
  }

  ask(button) {
    const verb = button.dataset.verb;
    const label = button.lastChild.textContent.trim().replace("…", "");
    const needs = "needsReason" in button.dataset;
    const reason = document.getElementById("ae-ask-reason");
    this.verb = verb;
    document.getElementById("ae-ask-title").textContent = `${label} session?`;
    document.getElementById("ae-ask-effect").textContent = button.dataset.effect;
    document.getElementById("ae-ask-required").textContent = needs ? "required in production" : "optional";
    const go = document.getElementById("ae-ask-go");
    go.textContent = `${label} session`;
    go.dataset.kind = verb === "end" ? "danger" : "solid";
    reason.required = needs;
    reason.value = "";
    this.dialog.showModal();
    (FINAL.includes(verb) ? document.getElementById("ae-ask-cancel") : reason).focus();
  }

  answered(event) {
    event.preventDefault();
    const reason = document.getElementById("ae-ask-reason").value.trim();
    if (document.getElementById("ae-ask-reason").required && !reason) return;
    this.dialog.close();
    this.post(this.verb, reason);
  }

  async post(verb, reason) {
    const body = new FormData(this.form);
    body.set("verb", verb);
    body.set("reason", reason);
    this.place.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(this.form.action, {
        method: "POST",
        body,
        headers: { Accept: "application/json" },
      });
      if (answer.ok) this.problem.replaceChildren();
      else tell(this.problem, await refusal(answer));
    } catch {
      tell(this.problem, { message: "The server did not answer. Nothing was confirmed.", code: "NETWORK" });
    } finally {
      this.place.removeAttribute("aria-busy");
    }
  }
}

async function refusal(answer) {
  const isJson = answer.headers.get("Content-Type")?.startsWith("application/json");
  if (isJson) return (await answer.json()).error;
  return { message: "The server refused.", code: `HTTP ${answer.status}` };
}
