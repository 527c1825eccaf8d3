// Unfold opens its sidebar, menus and sheets by clicks on plain elements; this lets a keyboard
// do what the pointer does. Times tick, and what waits is counted, on every page, also where nothing
// else moves.

(() => {
  const DEMO = "aegis.demo";
  const CLICKS = "span, div, a:not([href])";
  const NAMES = { dock_to_right: "Toggle the sidebar", close: "Close the sidebar" };

  function reach(element) {
    if (element.tabIndex >= 0 || element.closest("button, a[href], label")) return;
    element.tabIndex = 0;
    element.setAttribute("role", "button");
    const name = NAMES[element.textContent.trim()];
    if (name) element.setAttribute("aria-label", name);
  }

  document.addEventListener("DOMContentLoaded", () => {
    for (const element of document.querySelectorAll(CLICKS)) {
      if (element.hasAttribute("x-on:click")) reach(element);
    }
    const isAlone = document.getElementById("ae-waiting") && !document.getElementById("ae-live");
    if (document.getElementById("ae-palette")) import("./palette.js");
    if (document.querySelector("[data-times]")) import("./times.js").then((times) => times.start());
    if (isAlone) import("./live.js").then(({ Live }) => new Live([]).start());
  });

  // What the demo is was read once, before anything is drawn.
  document.documentElement.toggleAttribute("data-demo-hidden", localStorage.getItem(DEMO) === "hidden");
  document.addEventListener("click", (event) => {
    if (!event.target.closest?.("[data-demo-hide]")) return;
    localStorage.setItem(DEMO, "hidden");
    document.documentElement.toggleAttribute("data-demo-hidden", true);
  });

  // Here, because keys are pressed before the module of the palette has come.
  document.addEventListener(
    "keydown",
    (event) => {
      const isFind = event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey);
      if (!isFind || event.altKey || event.shiftKey || !document.getElementById("ae-palette")) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      import("./palette.js").then(({ palette }) => palette.open());
    },
    { capture: true },
  );

  document.addEventListener("keydown", (event) => {
    const isPress = event.key === "Enter" || event.key === " ";
    if (isPress && event.target.matches?.('[role="button"]:not(button)')) {
      event.preventDefault();
      event.target.click();
    }
  });
})();
