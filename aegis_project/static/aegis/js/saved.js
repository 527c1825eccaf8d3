// The form that keeps a view of a list begins at its name.

import "./copy.js";
import { pop } from "./pop.js";

const box = document.querySelector(".ae-save");

if (box) pop(box);
box?.addEventListener("toggle", () => {
  if (box.open) box.querySelector("#ae-save-name").select();
});
