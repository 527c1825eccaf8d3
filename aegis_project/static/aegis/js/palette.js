// The palette: finds places and things, and runs verbs in the words of the command line.
// The cursor stays in the field; which line is meant is told to screen readers from there.

import { duty } from "./keys.js";

const WAIT_MS = 120;
const FINAL = ["complete", "end"];
const at = (name) => document.getElementById(`ae-palette-${name}`);

class Palette {
  constructor(dialog) {
    this.dialog = dialog;
    this.input = at("input");
    this.list = at("list");
    this.asked = 0;
    this.input.addEventListener("input", () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.look(), WAIT_MS);
    });
    this.input.addEventListener("keydown", (event) => this.key(event));
    this.list.addEventListener("click", (event) => this.choose(event.target.closest("[role=option]")));
    at("form").addEventListener("submit", (event) => {
      event.preventDefault();
      if (!at("step").hidden) this.answered();
    });
    at("cancel").addEventListener("click", () => this.back());
    at("keys").addEventListener("click", () => {
      dialog.close();
      duty.openSheet();
    });
  }

  open() {
    if (this.dialog.open) return this.dialog.close();
    this.input.value = "";
    this.say("");
    this.step(null);
    this.dialog.showModal();
    this.input.focus();
    this.look();
  }

  /** Ask the server; an answer that came after a later question is dropped. */
  async look() {
    clearTimeout(this.timer);
    this.timer = 0;
    const mine = (this.asked += 1);
    const query = new URLSearchParams({ q: this.input.value });
    const answer = await fetch(`${this.dialog.dataset.url}?${query}`).catch(() => null);
    const html = answer?.ok ? await answer.text() : "";
    if (mine !== this.asked) return;
    this.list.innerHTML = html;
    const found = this.options();
    this.list.hidden = !found.length;
    this.input.setAttribute("aria-expanded", String(found.length > 0));
    this.mark(found[0]);
    if (!answer?.ok) this.say("The server did not answer.", true);
    else if (!found.length) this.say(`Nothing answers “${this.input.value.trim()}”.`);
    else if (this.input.value) this.say(`${found.length} found`);
    else if (!this.isDone) this.say("");
    this.isDone = false;
  }

  options() {
    return [...this.list.querySelectorAll("[role=option]")];
  }

  mark(option) {
    this.list.querySelector("[aria-selected=true]")?.setAttribute("aria-selected", "false");
    this.marked = option;
    option?.setAttribute("aria-selected", "true");
    option?.scrollIntoView({ block: "nearest" });
    if (option) this.input.setAttribute("aria-activedescendant", option.id);
    else this.input.removeAttribute("aria-activedescendant");
  }

  async key(event) {
    const found = this.options();
    const index = found.indexOf(this.marked);
    const to = { ArrowDown: index + 1, ArrowUp: index - 1 + found.length }[event.key];
    if (to !== undefined && found.length) {
      event.preventDefault();
      this.mark(found[to % found.length]);
    }
    if (event.key !== "Enter" || event.isComposing) return;
    event.preventDefault();
    // What was typed last is what is meant, also when its answer is still to come.
    if (this.timer) await this.look();
    this.choose(this.marked);
  }

  choose(option) {
    if (!option) return;
    const { href, verb, why } = option.dataset;
    if (href) location.assign(href);
    else if (why) this.say(why, true);
    else if ("asks" in option.dataset) this.step(option);
    else this.pull(option, verb, "");
  }

  /** The second step of what cannot be undone or needs a reason; none goes back to the list. */
  step(option) {
    this.option = option;
    at("step").hidden = !option;
    at("look").hidden = this.list.hidden = Boolean(option);
    if (!option) return;
    const { verb, key, label, effect } = option.dataset;
    const word = label.replace("…", "");
    const needs = "needsReason" in option.dataset;
    at("title").textContent = `${word} session ${key}?`;
    at("effect").textContent = effect;
    at("required").textContent = needs ? "required in production" : "optional";
    at("reason").required = needs;
    at("reason").value = "";
    at("go").textContent = `${word} session`;
    at("go").dataset.kind = verb === "end" ? "danger" : "solid";
    this.say("");
    (FINAL.includes(verb) ? at("cancel") : at("reason")).focus();
  }

  back() {
    this.step(null);
    this.input.focus();
  }

  answered() {
    const { option } = this;
    const reason = at("reason").value.trim();
    if (at("reason").required && !reason) return;
    this.step(null);
    this.input.focus();
    this.pull(option, option.dataset.verb, reason);
  }

  async pull(option, verb, reason) {
    const body = new FormData(at("form"));
    body.set("verb", verb);
    body.set("reason", reason);
    this.say("Asking…");
    const headers = { Accept: "application/json" };
    const answer = await fetch(option.dataset.lever, { method: "POST", body, headers }).catch(() => null);
    const said = await answer?.json().catch(() => null);
    if (answer?.ok) {
      const word = said.is_pending ? "is starting" : `is ${said.state}`;
      this.input.value = "";
      this.isDone = true;
      this.say(`${option.dataset.key} ${word}.`);
      this.look();
    } else {
      const error = said?.error ?? { message: "The server did not answer. Nothing was confirmed.", code: "OFFLINE" };
      this.say(`${error.message} (${error.code})`, true);
    }
  }

  say(text, isBad = false) {
    at("said").textContent = text;
    at("said").toggleAttribute("data-bad", isBad);
  }
}

export const palette = new Palette(document.getElementById("ae-palette"));
for (const button of document.querySelectorAll("[data-palette]")) {
  button.addEventListener("click", () => palette.open());
}
duty.start();
