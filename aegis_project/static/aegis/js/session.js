// The session page.

import "./copy.js";
import { Conversation } from "./conversation.js";
import { Drawer } from "./drawer.js";
import { Ledger } from "./ledger.js";
import { Lever } from "./lever.js";
import { Live } from "./live.js";
import { morph } from "./morph.js";
import { Topics } from "./topics.js";
import * as times from "./times.js";

const page = document.getElementById("ae-session");

/** Header, lever, strip, tabs and the panel of the tab: parts that the server renders. */
class Parts {
  constructor() {
    this.held = {};
  }

  frames() {
    return [{ type: "session", id: page.dataset.session, tab: page.dataset.tab }];
  }

  take(frame, live) {
    if (frame.type !== "parts") return false;
    this.isReady = true;
    if (live.isHeld) Object.assign(this.held, frame.parts);
    else this.paint(frame.parts);
    return true;
  }

  paint(parts) {
    for (const [name, html] of Object.entries(parts)) {
      const element = document.getElementById(`ae-${name}`);
      if (!element) continue;
      morph(element, html);
      times.writeAll(element);
    }
  }

  release() {
    this.paint(this.held);
    this.held = {};
  }
}

async function makeToken(button) {
  button.disabled = true;
  const body = new FormData(document.getElementById("ae-lever-form"));
  const answer = await fetch(button.dataset.url, { method: "POST", body });
  document.getElementById("ae-token-made").innerHTML = await answer.text();
  button.disabled = false;
}

times.start();
const feeds = [new Parts()];
if (page.dataset.tab === "timeline") {
  feeds.push(new Ledger(page));
  new Drawer(page);
}
if (page.dataset.tab === "conversation") feeds.push(new Conversation(page));
const topics = page.dataset.tab === "topics" ? new Topics(page) : null;
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
