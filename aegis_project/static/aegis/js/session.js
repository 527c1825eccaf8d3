// The session page.

import "./copy.js";
import { Conversation } from "./conversation.js";
import { Drawer } from "./drawer.js";
import { Lanes } from "./lanes.js";
import { Ledger } from "./ledger.js";
import { Lever } from "./lever.js";
import { Live } from "./live.js";
import { Parts } from "./parts.js";
import { Saw } from "./saw.js";
import { Topics } from "./topics.js";

const page = document.getElementById("ae-session");

async function makeToken(button) {
  button.disabled = true;
  const body = new FormData(document.getElementById("ae-lever-form"));
  const answer = await fetch(button.dataset.url, { method: "POST", body });
  document.getElementById("ae-token-made").innerHTML = await answer.text();
  button.disabled = false;
}

const { session: id, tab } = page.dataset;
// Header, lever, strip, tabs and the panel of the tab; events and messages are what is new there.
const isCounted = tab !== "timeline" && tab !== "conversation";
const feeds = [new Parts({ type: "session", id, tab }, { isCounted })];
if (tab === "timeline") {
  const drawer = new Drawer(page);
  const lanes = new Lanes(page, (seq) => drawer.openEvent(seq));
  feeds.push(new Ledger(page));
  // A stretch of the past stays as it is.
  if (page.dataset.window === undefined) feeds.push(lanes);
}
if (tab === "conversation") {
  feeds.push(new Conversation(page));
  new Saw();
}
const topics = tab === "topics" ? new Topics(page) : null;
if (topics) feeds.push(topics, topics.tails);
new Lever();
document.addEventListener("click", (event) => {
  const button = event.target.closest("#ae-token");
  if (button) makeToken(button);
});
const sticky = document.getElementById("ae-sticky");
new ResizeObserver(() => {
  page.style.setProperty("--sticky", `${sticky.offsetHeight}px`);
}).observe(sticky);
const live = new Live(feeds);
live.start();
topics?.start(live);
