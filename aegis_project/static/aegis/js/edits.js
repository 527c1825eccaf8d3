// Editing the arguments of a call: what changed is shown beside what was asked.

const fieldOf = (row) => row.querySelector("input, select, textarea");

function was(field) {
  if (field.type === "checkbox") return String(field.defaultChecked);
  if (field.tagName === "SELECT") return [...field.options].find((one) => one.defaultSelected)?.value ?? "";
  return field.defaultValue;
}

const is = (field) => (field.type === "checkbox" ? String(field.checked) : field.value);
const shown = (field) => (field.tagName === "SELECT" ? field.selectedOptions[0]?.textContent : is(field));

// Who writes is not asked about after each letter.
const PAUSE_MS = 250;
const SHOWN = 8;

export class Edits {
  /** `digests` is where the server says the digest of what the form holds. */
  constructor(form, digests) {
    this.form = form;
    this.digests = digests;
    this.button = document.getElementById("ae-edit");
    this.button.addEventListener("click", () => this.toggle());
    document.getElementById("ae-undo").addEventListener("click", () => this.undo());
    form.addEventListener("input", () => this.compare());
    form.addEventListener("keydown", (event) => {
      const isLeft = event.key === "Escape" && event.target.closest(".ae-argument");
      if (isLeft) this.toggle(false);
    });
  }

  get rows() {
    return [...this.form.querySelectorAll(".ae-argument")];
  }

  get changed() {
    return this.rows.filter((row) => is(fieldOf(row)) !== was(fieldOf(row)));
  }

  toggle(on = this.button.getAttribute("aria-pressed") !== "true") {
    if (!this.rows.length) return;
    this.button.setAttribute("aria-pressed", String(on));
    this.form.toggleAttribute("data-editing", on);
    if (on) fieldOf(this.rows[0]).focus();
    else this.button.focus();
  }

  undo() {
    for (const row of this.rows) {
      const field = fieldOf(row);
      if (field.type === "checkbox") field.checked = field.defaultChecked;
      else field.value = was(field);
      row.querySelector(".ae-argument-fault").textContent = "";
    }
    this.compare();
    this.button.focus();
  }

  /** Mark what differs from what was asked, and say how much that is. */
  compare() {
    const changed = this.changed;
    for (const row of this.rows) {
      const isChanged = changed.includes(row);
      row.toggleAttribute("data-edited", isChanged);
      row.querySelector(".ae-argument-now").textContent = isChanged ? shown(fieldOf(row)) : "";
    }
    const count = changed.length;
    const text = count === 1 ? "1 change by you" : `${count} changes by you`;
    document.getElementById("ae-changes").textContent = count ? text : "";
    document.getElementById("ae-undo").hidden = !count;
    this.digest(count);
    document.getElementById("ae-executes").textContent = count ? `Executes with ${this.words}` : "Executes as asked";
    const label = document.querySelector("#ae-approve > span");
    label.textContent = `${label.dataset.verb}${count ? ` with ${count} change${count === 1 ? "" : "s"}` : ""}`;
  }

  /** The digest that was asked about gives way to the one of what is edited, which the server makes. */
  async digest(count) {
    const asked = (this.asked = {});
    const note = document.getElementById("ae-digest-note");
    document.getElementById("ae-digest").toggleAttribute("data-was", Boolean(count));
    const place = document.getElementById("ae-digest-new");
    place.textContent = "…";
    place.removeAttribute("title");
    if (!count) note.hidden = true;
    if (!count) return;
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    if (asked !== this.asked) return;
    const body = new FormData(this.form);
    const answer = await fetch(this.digests, { method: "POST", body }).catch(() => null);
    const found = answer?.ok ? await answer.json().catch(() => null) : null;
    if (asked !== this.asked) return;
    note.hidden = !found;
    if (!found) return;
    place.textContent = found.digest.slice(0, SHOWN);
    place.title = found.digest;
  }

  /** What differs from what was asked: `quantity 3, side sell`. */
  get words() {
    return this.changed.map((row) => `${row.querySelector("label").textContent} ${shown(fieldOf(row))}`).join(", ");
  }

  /** What will be carried out, in words. */
  sentence() {
    return this.changed.length ? `It is called with ${this.words}.` : "It is called as it was asked.";
  }

  /** Say at the fields what was wrong with them. */
  fault(fields) {
    for (const row of this.rows) {
      row.querySelector(".ae-argument-fault").textContent = (fields[row.dataset.argument] ?? []).join(" ");
    }
    if (this.rows.some((row) => fields[row.dataset.argument])) {
      this.toggle(true);
      fieldOf(this.rows.find((row) => fields[row.dataset.argument])).focus();
    }
  }
}
