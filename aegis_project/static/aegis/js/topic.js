// The page of one topic: facts, charts, subscribers, tails, and publishing by hand.

import "./copy.js";
import { Charts } from "./charts.js";
import { Live } from "./live.js";
import { morph } from "./morph.js";
import { Tails } from "./tails.js";
import * as times from "./times.js";

const page = document.getElementById("ae-topic");
const { session, topic, environment } = page.dataset;
const beside = document.getElementById("ae-beside");

class Parts {
  constructor(charts) {
    this.charts = charts;
    this.held = {};
  }

  frames() {
    return [{ type: "topic", id: session, topic }];
  }

  take(frame, live) {
    if (frame.type !== "topic") return false;
    this.isReady = true;
    if (live.isHeld) {
      Object.assign(this.held, frame.parts);
      this.series = frame.series ?? this.series;
    } else this.paint(frame.parts, frame.series);
    return true;
  }

  paint(parts, series) {
    for (const [name, html] of Object.entries(parts)) {
      const element = document.getElementById(`ae-${name}`);
      if (name === "said") this.charts.say(html);
      else morph(element, html);
      times.writeAll(element);
    }
    if (series) this.charts.show(series);
  }

  release() {
    this.paint(this.held, this.series);
    this.held = {};
    this.series = null;
  }
}

// Publishing

const form = document.getElementById("ae-publish");
const confirm = document.getElementById("ae-confirm");
const key = document.getElementById("ae-confirm-key");
const go = document.getElementById("ae-confirm-go");

async function publish(confirmed = "") {
  const button = form.querySelector("button[type=submit]");
  button.disabled = true;
  const body = new FormData(form);
  body.set("confirmed", confirmed);
  const place = document.getElementById("ae-published");
  try {
    const answer = await fetch(form.action, { method: "POST", body });
    place.innerHTML = await answer.text();
  } catch {
    place.textContent = "The server did not answer, so it is not known whether the record was published.";
  }
  button.disabled = false;
}

form?.addEventListener("submit", (event) => {
  event.preventDefault();
  if (environment !== "production") return publish();
  key.value = "";
  go.disabled = true;
  confirm.showModal();
});
key.addEventListener("input", () => (go.disabled = key.value !== go.dataset.key));
document.getElementById("ae-confirm-cancel").addEventListener("click", () => confirm.close());
confirm.querySelector("form").addEventListener("submit", () => publish(key.value));

// The second tail stands in the address.

function remember(open) {
  const other = open.find((one) => one.topic !== topic);
  const url = new URL(location.href);
  url.searchParams.delete("beside");
  if (other) url.searchParams.set("beside", other.topic);
  history.replaceState(null, "", url);
  if (beside) beside.value = other?.topic ?? "";
}

beside?.addEventListener("change", () => {
  const wanted = beside.value;
  for (const pane of [...tails.panes.values()]) if (pane.topic !== topic) tails.remove(pane);
  if (wanted) tails.add(session, wanted);
});

const charts = new Charts();
charts.say(document.getElementById("ae-said").innerHTML);
charts.show(JSON.parse(document.getElementById("ae-series").textContent));
const tails = new Tails(remember);
const live = new Live([new Parts(charts), tails]);
live.start();
tails.start(live);
tails.add(session, topic, { isQuiet: true });
const other = new URL(location.href).searchParams.get("beside");
if (other) tails.add(session, other, { isQuiet: true });
if (beside && other) beside.value = other;
