// A button that acts when it is held for two seconds, and asks when it is only pressed.

const SECONDS = 2;
const KEYS = ["Enter", " "];

/** `isFree()` says whether it may begin; `held` and `pressed` act; `holding(is)` tells of it. */
export function hold(button, { isFree, held, pressed, holding }) {
  const left = button.querySelector("[data-left]");
  const rest = left.textContent;
  let timer = 0;
  let ticks = 0;
  let isDone = false;

  function end() {
    if (!timer) return false;
    clearTimeout(timer);
    clearInterval(ticks);
    timer = 0;
    button.removeAttribute("data-holding");
    left.textContent = rest;
    holding(false);
    return true;
  }

  function begin() {
    isDone = false;
    if (timer || !isFree()) return;
    let seconds = SECONDS;
    ticks = setInterval(() => (left.textContent = `${Math.max((seconds -= 1), 1)} s`), 1000);
    timer = setTimeout(() => {
      end();
      isDone = true;
      held();
    }, SECONDS * 1000);
    button.setAttribute("data-holding", "");
    holding(true);
  }

  button.addEventListener("pointerdown", (event) => event.button === 0 && begin());
  for (const name of ["pointerup", "pointerleave", "pointercancel", "blur"]) button.addEventListener(name, end);
  // What a finger that stays brings up would take the finger away.
  button.addEventListener("contextmenu", (event) => timer && event.preventDefault());
  button.addEventListener("keydown", (event) => {
    if (!KEYS.includes(event.key)) return;
    event.preventDefault();
    if (!event.repeat) begin();
  });
  button.addEventListener("keyup", (event) => {
    if (!KEYS.includes(event.key)) return;
    event.preventDefault();
    if (end()) pressed();
  });
  // The end of a hold is a click, too; so is what a screen reader does, which holds nothing.
  button.addEventListener("click", () => (isDone ? (isDone = false) : pressed()));
}
