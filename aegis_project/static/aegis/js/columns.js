// Which columns of a list are shown, as this browser remembers it; the first one always is.

import { pop } from "./pop.js";

const KEY = "aegis.columns";
const box = document.getElementById("ae-columns");
const table = document.getElementById("result_list");
const choices = box?.querySelector("div");
const hidden = new Set(JSON.parse(localStorage.getItem(KEY) ?? "[]"));

function show() {
  if (table) table.dataset.hides = [...hidden].join(" ");
}

function choose({ target }) {
  target.checked ? hidden.delete(target.value) : hidden.add(target.value);
  localStorage.setItem(KEY, JSON.stringify([...hidden]));
  show();
}

if (box) {
  box.hidden = !table;
  pop(box);
  choices.addEventListener("change", choose);
  for (const choice of choices.querySelectorAll("input")) choice.checked = !hidden.has(choice.value);
}
show();
