// Two sessions side by side: one key goes to where they part.

import { areOn } from "./keys.js";

document.addEventListener("keydown", (event) => {
  const isBusy = event.target.closest?.("input,select,textarea,dialog");
  if (event.key !== "n" || event.ctrlKey || event.metaKey || event.altKey || isBusy || !areOn()) return;
  const first = document.getElementById("ae-to-first");
  if (!first) return;
  // Elsewhere the letter makes a session.
  event.preventDefault();
  first.click();
});

