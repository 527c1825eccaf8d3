// Times on the page: one clock (the server's), one form (the switch in the header).

const KEY = "aegis.times";
let offset = 0;
let form = localStorage.getItem(KEY) || "utc";

export const now = () => Date.now() + offset;

/** Follow the server's clock; `serverNow` is its time in unix milliseconds. */
export function follow(serverNow) {
  offset = serverNow - Date.now();
}

const two = (value) => String(value).padStart(2, "0");

/** `46 s`, `1:46`, `2 h 08`, `6 d 4 h`: the same words as the server's. */
export function duration(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)}:${two(whole % 60)}`;
  if (whole < 86400) return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))}`;
  const hours = Math.floor(whole / 3600);
  return hours % 24 ? `${Math.floor(hours / 24)} d ${hours % 24} h` : `${hours / 24} d`;
}

/** A moment as a clock, with the day when it is not today's, in the form asked for. */
export function clock(ms, { millis = false } = {}) {
  if (form === "ago") return duration((now() - ms) / 1000);
  const shift = form === "local" ? new Date(ms).getTimezoneOffset() * 60000 : 0;
  const iso = (at) => new Date(at - shift).toISOString();
  const [day, time] = iso(ms).split("T");
  const text = millis ? time.slice(0, 12) : time.slice(0, 8);
  return day === iso(now()).slice(0, 10) ? text : `${day} ${text}`;
}

/** The same without its day, for a place that has no room; how long ago stays whole. */
export const short = (ms) => (form === "ago" ? clock(ms) : clock(ms).split(" ").at(-1));

/** Whether moments are said by how long ago they were. */
export const areAgo = () => form === "ago";

/** Call this whenever somebody chooses another form. */
export function whenChosen(act) {
  document.addEventListener("aegis:times", act);
}

function write(element) {
  const at = Date.parse(element.dateTime);
  const seconds = (now() - at) / 1000;
  const kind = element.dataset.form;
  const text =
    kind === "since" ? duration(seconds) : kind === "until" ? duration(-seconds) : clock(at);
  if (element.textContent !== text) element.textContent = text;
}

/** How much is left of a stretch of time, as the part of a bar that is full. */
function drain(bar) {
  const [from, until] = [bar.dataset.from, bar.dataset.until].map(Date.parse);
  const left = Math.min(Math.max((until - now()) / Math.max(until - from, 1), 0), 1);
  bar.style.setProperty("--left", left.toFixed(4));
}

/** Write all times below an element, or on the page. */
export function writeAll(root = document) {
  root.querySelectorAll("time[data-form]").forEach(write);
  root.querySelectorAll("[data-drain]").forEach(drain);
}

function choose(chosen) {
  form = chosen;
  localStorage.setItem(KEY, form);
  for (const button of document.querySelectorAll("[data-times]")) {
    button.setAttribute("aria-pressed", String(button.dataset.times === form));
  }
  writeAll();
  document.dispatchEvent(new Event("aegis:times"));
}

/** Let the page's times tick. */
export function start() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-times]");
    if (button) choose(button.dataset.times);
  });
  choose(form);
  setInterval(() => document.hidden || writeAll(), 1000);
}
