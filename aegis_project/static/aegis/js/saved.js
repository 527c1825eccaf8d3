// The form that keeps a view of a list: it begins at its name, and closes like a menu.

import "./copy.js";

const box = document.querySelector(".ae-save");

box?.addEventListener("toggle", () => {
  if (box.open) box.querySelector("#ae-save-name").select();
});

document.addEventListener("click", (event) => {
  if (box?.open && !box.contains(event.target)) box.open = false;
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !box?.open) return;
  box.open = false;
  box.querySelector("summary").focus();
});
