// A card on a page of its own, beside what else waits.

import { Card } from "./card.js";
import * as keys from "./keys.js";
import { Live } from "./live.js";

function move(step) {
  const links = [...document.querySelectorAll("#ae-queue .ae-queue-row")];
  const now = links.findIndex((link) => link.getAttribute("aria-current"));
  const next = links[now < 0 ? 0 : now + step];
  if (next) location.assign(next.href);
}

const card = new Card();
card.open(document.querySelector(".ae-card"));
new Live([card]).start();
keys.start({
  a: () => card.approve(),
  r: () => card.reject(),
  c: () => card.claim(),
  e: () => card.edit(),
  j: () => move(1),
  k: () => move(-1),
});
