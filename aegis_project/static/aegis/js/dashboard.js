// The dashboard: sections that the server renders, those for wide screens folded on small ones.

import "./copy.js";
import { Live } from "./live.js";
import { Parts } from "./parts.js";

const page = document.getElementById("ae-deck");

class Sections extends Parts {
  paint(parts) {
    super.paint(parts);
    if ("deck-doors" in parts) page.toggleAttribute("data-empty", Boolean(parts["deck-doors"].trim()));
  }
}

/** What folds is open where there is room, and has no handle there. */
function fold(isSmall) {
  for (const section of page.querySelectorAll(".ae-deck-section")) {
    const folds = isSmall && "folds" in section.dataset;
    section.open = !folds;
    section.querySelector("summary").tabIndex = folds ? 0 : -1;
  }
}

page.addEventListener("click", (event) => {
  const summary = event.target.closest("summary");
  if (summary && summary.tabIndex < 0) event.preventDefault();
});
const small = matchMedia("(max-width: 699px)");
small.addEventListener("change", () => fold(small.matches));
fold(small.matches);
const isSeen = Boolean(document.getElementById("ae-deck-doors"));
new Live(isSeen ? [new Sections({ type: "dashboard" })] : []).start();
