// Single keys: never in fields, never with a modifier, and off when somebody says so.

const KEY = "aegis.keys";
const FIELDS = "input:not([type=checkbox]),textarea,select,[contenteditable],dialog,[role=log]";
const SEQUENCE_MS = 1500;

export const areOn = () => localStorage.getItem(KEY) !== "off";

const isOurs = (event) =>
  !event.ctrlKey && !event.metaKey && !event.altKey && areOn() && !event.target.closest?.(FIELDS);

/** The box of a sheet that turns single keys off. */
function offer(box) {
  box.checked = areOn();
  box.addEventListener("change", () => localStorage.setItem(KEY, box.checked ? "on" : "off"));
}

/** Call what belongs to a key; the sheet that lists them, and turns them off, is `?`. */
export function start(actions) {
  const sheet = document.getElementById("ae-keys");
  offer(document.getElementById("ae-keys-on"));
  document.getElementById("ae-keys-open").addEventListener("click", () => sheet.showModal());
  document.addEventListener("keydown", (event) => {
    if (!isOurs(event)) return;
    const act = event.key === "?" ? () => sheet.showModal() : actions[event.key];
    if (act && act(event) !== false) event.preventDefault();
  });
}

/** What every page does by keys: `g` and a letter go to a place, `?` says which. */
export const duty = {
  start() {
    const sheet = document.getElementById("ae-shell-keys");
    const places = {};
    for (const one of sheet.querySelectorAll("[data-goes-by]")) places[one.dataset.goesBy] = one.dataset.to;
    offer(sheet.querySelector("[data-keys-on]"));
    let until = 0;
    document.addEventListener(
      "keydown",
      (event) => {
        if (!isOurs(event)) return;
        const place = event.timeStamp < until && places[event.key];
        until = event.key === "g" ? event.timeStamp + SEQUENCE_MS : 0;
        if (place) {
          // The letter means the place here, whatever it does on the page.
          event.preventDefault();
          event.stopImmediatePropagation();
          location.assign(place);
        }
      },
      { capture: true },
    );
    const fresh = sheet.querySelector("[data-new]")?.dataset.new;
    // Behind the page, for which the letter may mean something else.
    window.addEventListener("keydown", (event) => {
      if (event.key === "n" && fresh && !event.defaultPrevented && isOurs(event)) location.assign(fresh);
    });
    if (document.getElementById("ae-keys")) return;
    document.addEventListener("keydown", (event) => {
      if (event.key !== "?" || !isOurs(event)) return;
      event.preventDefault();
      this.openSheet();
    });
  },

  /** The sheet of the page, or of the shell where a page has none. */
  openSheet() {
    (document.getElementById("ae-keys") ?? document.getElementById("ae-shell-keys")).showModal();
  },
};
