// The strip of a heartbeat: keys, a mouse and a finger go from mark to mark; the table says what it is.

const KEYS = {
  ArrowLeft: (place) => place - 1,
  ArrowDown: (place) => place - 1,
  ArrowRight: (place) => place + 1,
  ArrowUp: (place) => place + 1,
  PageUp: (place) => place + 10,
  PageDown: (place) => place - 10,
  Home: () => 0,
  End: (_, last) => last,
};

export class Marks {
  constructor() {
    this.place = document.getElementById("ae-beats");
    this.table = document.getElementById("ae-beats-table");
    if (!this.place || !this.table) return;
    this.place.addEventListener("keydown", (event) => this.key(event));
    for (const name of ["pointerdown", "pointermove"]) this.place.addEventListener(name, (event) => this.point(event));
    // What was chosen stays chosen while newer marks come.
    new MutationObserver(() => this.show()).observe(this.table, { childList: true, subtree: true, characterData: true });
  }

  get strip() {
    return document.getElementById("ae-marks");
  }

  /** Of the table, the oldest first. */
  get rows() {
    return [...this.table.querySelectorAll("tbody tr")].reverse();
  }

  key(event) {
    const step = KEYS[event.key];
    if (!step || event.target !== this.strip) return;
    event.preventDefault();
    const { keys } = this;
    const last = keys.length - 1;
    this.choose(step(this.chosen ? keys.indexOf(this.chosen) : last, last));
  }

  point(event) {
    const strip = event.target.closest(".ae-marks");
    if (!strip || (event.type === "pointermove" && event.pointerType === "touch" && !event.buttons)) return;
    const { left, width } = strip.getBoundingClientRect();
    const kept = Number(strip.dataset.kept);
    this.choose(Math.floor(((event.clientX - left) / width) * kept) - (kept - this.rows.length));
  }

  /** What each mark is known by: its time, and which one of that time it is. */
  get keys() {
    const seen = {};
    return this.rows.map((row) => {
      const { dateTime } = row.querySelector("time");
      seen[dateTime] = (seen[dateTime] ?? 0) + 1;
      return `${dateTime} ${seen[dateTime]}`;
    });
  }

  choose(place) {
    const { keys } = this;
    this.chosen = keys[Math.min(Math.max(place, 0), keys.length - 1)];
    this.show();
  }

  show() {
    const { strip, rows } = this;
    if (!strip || !this.chosen) return;
    const place = this.keys.indexOf(this.chosen);
    const cursor = document.getElementById("ae-marks-at");
    const said = document.getElementById("ae-marks-said");
    if (place < 0) {
      // It is kept no more.
      this.chosen = "";
      cursor.removeAttribute("style");
      said.textContent = "";
      return;
    }
    const [time, mark, after] = [...rows[place].cells].map((cell) => cell.textContent.trim());
    const text = `${time} ${mark}${after.endsWith("s") ? `, after ${after}` : ""}`;
    const kept = Number(strip.dataset.kept);
    cursor.style.setProperty("--at", String((kept - rows.length + place) / kept));
    said.textContent = text;
    strip.setAttribute("aria-valuenow", String(place + 1));
    strip.setAttribute("aria-valuetext", text);
  }
}
