// Single keys of a page: never in fields, never with a modifier, and off when somebody says so.

const KEY = "aegis.keys";
const FIELDS = "input:not([type=checkbox]),textarea,select,[contenteditable],dialog,[role=log]";

export const areOn = () => localStorage.getItem(KEY) !== "off";

/** Call what belongs to a key; the sheet that lists them, and turns them off, is `?`. */
export function start(actions) {
  const sheet = document.getElementById("ae-keys");
  const box = document.getElementById("ae-keys-on");
  box.checked = areOn();
  box.addEventListener("change", () => localStorage.setItem(KEY, box.checked ? "on" : "off"));
  document.getElementById("ae-keys-open").addEventListener("click", () => sheet.showModal());
  document.addEventListener("keydown", (event) => {
    const isPlain = !event.ctrlKey && !event.metaKey && !event.altKey;
    if (!isPlain || !areOn() || event.target.closest?.(FIELDS)) return;
    const act = event.key === "?" ? () => sheet.showModal() : actions[event.key];
    if (act && act(event) !== false) event.preventDefault();
  });
}
