// What several decisions would reach, in the panel in which they are made.

const WHAT = { Sessions: "session", Agents: "agent", Environments: "environment" };
const NAMED = 2;

const chosen = () =>
  [...document.querySelectorAll("#result_list tr:has(input.action-select:checked) [data-row]")].map((one) => one.dataset);

/** `desk-chat`, `a, b`, or `3` where they are too many to be named here. */
function names(rows, property) {
  const found = [...new Set(rows.map((row) => row[property]))];
  return found.length > NAMED ? String(found.length) : found.join(", ");
}

function pair(title, text) {
  const box = document.createElement("div");
  const name = document.createElement("dt");
  const value = document.createElement("dd");
  name.textContent = title;
  value.textContent = text;
  box.append(name, value);
  return box;
}

const calls = (count) => `${count} call${count === 1 ? "" : "s"}`;

function show() {
  const panel = document.getElementById("ae-blast");
  if (!panel) return;
  const rows = chosen();
  const high = rows.filter((row) => row.risk === "high").length;
  const pairs = Object.entries(WHAT).map(([title, property]) => pair(title, names(rows, property)));
  panel.querySelector("dl").replaceChildren(...pairs);
  panel.querySelector("p").textContent = high ? `${calls(high)} of high risk: approved alone, on ${high === 1 ? "its card" : "their cards"}.` : "";
  for (const [verb, count] of [["approve", rows.length - high], ["reject", rows.length]]) {
    const button = document.querySelector(`#changelist-actions button[value=${verb}]`);
    if (!button) continue;
    button.textContent = `${verb[0].toUpperCase()}${verb.slice(1)} ${count}…`;
    button.disabled = !count;
  }
}

/** Put it into Unfold's panel of actions, after the verbs stand there. */
export function arrange() {
  const place = document.querySelector("#changelist-actions > div");
  if (!place || document.getElementById("ae-blast")) return;
  const panel = document.createElement("div");
  panel.id = "ae-blast";
  panel.setAttribute("role", "status");
  panel.append(document.createElement("dl"), document.createElement("p"));
  place.prepend(panel);
  show();
}

document.addEventListener("change", (event) => {
  if (event.target.matches(".action-select, #action-toggle")) show();
});
