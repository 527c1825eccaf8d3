// The page of one component: its state, the steps of its handshake, and its heartbeat.

import "./copy.js";
import { Live, tell } from "./live.js";
import { Marks } from "./marks.js";
import { Parts } from "./parts.js";

const { id } = document.getElementById("ae-component").dataset;

new Marks();
document.getElementById("ae-token")?.addEventListener("click", async ({ currentTarget: button }) => {
  button.disabled = true;
  const body = new FormData(document.getElementById("ae-connect-form"));
  const answer = await fetch(button.dataset.url, { method: "POST", body }).catch(() => null);
  const html = answer?.ok ? await answer.text() : "";
  button.disabled = false;
  if (html) document.getElementById("ae-token-made").innerHTML = html;
  else tell(document.getElementById("ae-problem"), { message: "No token was made.", code: "OFFLINE" });
});
new Live([new Parts({ type: "component", id })]).start();
