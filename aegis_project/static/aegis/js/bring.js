// A capsule is sent as programs send it, and how far it is shown as lines come.

const form = document.getElementById("ae-bring");
const problem = document.getElementById("ae-bring-problem");
const bar = document.getElementById("ae-bring-bar");
const STAGES = {
  brought: ["Uploading", "bytes"],
  waiting: ["Waiting for its turn", ""],
  proven: ["Proving what it holds", "bytes"],
  rows: ["Writing", "rows"],
};
// Who sends the same again is told what came of the first, and makes no second session.
let once = "";

const newKey = () => crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`;

function show({ stage, done, total }) {
  const [title, unit] = STAGES[stage] ?? [stage, ""];
  const place = document.getElementById("ae-bring-stage");
  // It is read aloud when it changes, and not for each number.
  if (place.textContent !== title) place.textContent = title;
  if (total) [bar.max, bar.value] = [total, done];
  else bar.removeAttribute("value");
  const [some, all] = [done, total].map((one) => one.toLocaleString("en"));
  document.getElementById("ae-bring-count").textContent = total ? `${some} of ${all} ${unit}` : "";
}

function refuse(message, code = "") {
  problem.replaceChildren(Object.assign(document.createElement("b"), { textContent: message }));
  if (code) problem.append(Object.assign(document.createElement("span"), { className: "ae-mono", textContent: code }));
  problem.hidden = false;
  busy(false);
}

function busy(isBusy) {
  document.getElementById("ae-bring-progress").hidden = !isBusy;
  form.querySelector("button[type=submit]").disabled = isBusy;
}

/** Take a line; whether it was the last. */
function take(line) {
  const said = JSON.parse(line);
  if (said.stage) show(said);
  if (said.data) location.assign(`${form.dataset.pages}${said.data.id}/change/`);
  if (said.error) {
    once = "";
    refuse(said.error.message, said.error.code);
  }
  return Boolean(said.data || said.error);
}

function send() {
  const body = new FormData();
  body.append("file", form.elements.file.files[0]);
  const query = new URLSearchParams({ key: form.elements.key.value.trim(), team: form.elements.team.value });
  const request = new XMLHttpRequest();
  request.open("POST", `${form.dataset.api}?${query}`);
  request.setRequestHeader("Accept", "application/x-ndjson");
  request.setRequestHeader("X-CSRFToken", form.elements.csrfmiddlewaretoken.value);
  request.setRequestHeader("Idempotency-Key", (once ||= newKey()));
  let seen = 0;
  let isOver = false;
  const read = () => {
    // What came of a line that is not whole yet comes again with the rest of it.
    const end = request.responseText.lastIndexOf("\n") + 1;
    for (const line of request.responseText.slice(seen, end).split("\n")) {
      if (line) isOver = take(line) || isOver;
    }
    seen = Math.max(seen, end);
  };
  request.upload.addEventListener("progress", (event) => {
    show({ stage: "brought", done: event.loaded, total: event.total });
  });
  request.addEventListener("progress", () => {
    if (request.status === 200) read();
  });
  request.addEventListener("loadend", () => {
    if (request.status === 200) read();
    else if (request.status) isOver = take(request.responseText);
    if (!isOver) refuse("The connection broke off; the import may go on. Send it again: it is not made twice.");
  });
  request.send(body);
}

form.addEventListener("input", () => {
  once = "";
});
// Unfold would write the name of the file into a field of text.
form.addEventListener("change", (event) => event.stopPropagation(), true);
form.addEventListener("submit", (event) => {
  event.preventDefault();
  problem.hidden = true;
  busy(true);
  show({ stage: "brought", done: 0, total: 0 });
  send();
});
