// Sockets by hand: frames that are sent and those that come, one under the other.

import * as times from "./times.js";

const page = document.getElementById("ae-playground");
const at = (name) => document.getElementById(`ae-play-${name}`);
const model = JSON.parse(document.getElementById("ae-playground-model").textContent);
const choice = document.getElementById("ae-script");
const MOST = 500;
const BEAT_SECONDS = 5;
const SECRET = /aeg_[A-Za-z0-9_]+/g;

let script = model[choice.value];
let place = 0;
let known = {};
let beatAt = 0;
const sockets = new Map();

const filled = (text) =>
  text.replace(/\$(token|component_id|session|agent|topic)\b/g, (word, name) => known[name] ?? word);

function note(kind, socket, text) {
  const log = at("log");
  const isAtEnd = log.scrollTop + log.clientHeight >= log.scrollHeight - 30;
  const row = document.createElement("div");
  row.dataset.kind = kind;
  const time = document.createElement("time");
  time.dataset.form = "clock";
  time.dateTime = new Date(times.now()).toISOString();
  const who = document.createElement("b");
  who.textContent = { out: `→ ${socket}`, in: `← ${socket}`, note: socket }[kind];
  const body = document.createElement("pre");
  // A secret that is on the screen is one that somebody else has read.
  body.textContent = text.replace(SECRET, "aeg_…");
  row.append(time, who, body);
  log.append(row);
  times.writeAll(row);
  while (log.childElementCount > MOST) log.firstElementChild.remove();
  if (isAtEnd) log.scrollTop = log.scrollHeight;
}

function say(text, isBad = false) {
  at("said").textContent = text;
  at("said").toggleAttribute("data-bad", isBad);
}

function open() {
  const names = [...sockets].filter(([, one]) => one.readyState === WebSocket.OPEN).map(([name]) => name);
  at("sockets").textContent = names.length ? `Open: ${names.join(", ")}` : "No socket is open";
}

function heard(name, raw) {
  note("in", name, raw);
  let frame = null;
  try {
    frame = JSON.parse(raw);
  } catch {
    return;
  }
  for (const word of ["component_id", "heartbeat_seconds"]) if (frame[word]) known[word] = frame[word];
  const isRecord = name === "data" && frame.topic && !frame.COMMAND;
  if (isRecord) say("Records are streaming.");
}

function connect(name) {
  const there = sockets.get(name);
  if (there && there.readyState <= WebSocket.OPEN) return opened(there);
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  const address = `${scheme}//${location.host}${filled(script.sockets[name])}`;
  const socket = new WebSocket(address);
  sockets.set(name, socket);
  note("note", name, `connects to ${address}`);
  socket.addEventListener("open", open);
  socket.addEventListener("message", ({ data }) => heard(name, String(data)));
  socket.addEventListener("close", ({ code, reason }) => {
    note("note", name, `closed ${code}${reason ? `: ${reason}` : ""}`);
    open();
  });
  return opened(socket);
}

const opened = (socket) =>
  new Promise((resolve, reject) => {
    if (socket.readyState === WebSocket.OPEN) resolve(socket);
    socket.addEventListener("open", () => resolve(socket), { once: true });
    socket.addEventListener("close", () => reject(new Error("The socket was closed before it was open.")), { once: true });
  });

async function makeToken() {
  const body = new FormData(document.getElementById("ae-playground-form"));
  body.set("session", known.session);
  const answer = await fetch(page.dataset.token, { method: "POST", body });
  const said = await answer.json();
  if (!answer.ok) throw new Error(`${said.error.message} (${said.error.code})`);
  known.token = said.session_token;
}

async function send() {
  const step = script.steps[place];
  const session = at("session").value.trim();
  if (session !== known.session) known = { session };
  known.topic = at("topic").value.trim();
  known.agent = at("agent").value.trim();
  const text = at("frame").value;
  try {
    JSON.parse(text);
  } catch (error) {
    return say(`The frame is not JSON: ${error.message}`, true);
  }
  at("send").disabled = true;
  try {
    if (text.includes("$token") && !known.token) await makeToken();
    if (text.includes("$component_id")) await until(() => known.component_id);
    const socket = await connect(step.socket);
    const line = filled(JSON.stringify(JSON.parse(text)));
    socket.send(line);
    note("out", step.socket, line);
    say("");
    show(Math.min(place + 1, script.steps.length - 1), place);
  } catch (error) {
    say(error.message, true);
  }
  at("send").disabled = false;
}

/** What a frame needs of an answer that is on its way. */
async function until(holds) {
  for (let tries = 0; !holds() && tries < 50; tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  if (!holds()) throw new Error("The frame needs what the answer to an earlier one says: component_id.");
}

function show(to, sent = -1) {
  place = to;
  const step = script.steps[place];
  const list = at("steps");
  if (sent < 0) {
    list.replaceChildren(
      ...script.steps.map((one, index) => {
        const row = document.createElement("li");
        const button = document.createElement("button");
        button.type = "button";
        button.className = "ae-inline";
        button.textContent = one.title;
        button.addEventListener("click", () => show(index, -2));
        const where = document.createElement("span");
        where.className = "ae-muted";
        where.textContent = one.socket;
        row.append(button, where);
        return row;
      }),
    );
  } else list.children[sent].dataset.done = "";
  if (sent === -2) [...list.children].slice(0, place).forEach((row) => (row.dataset.done = ""));
  [...list.children].forEach((row, index) => {
    if (index === place) row.setAttribute("aria-current", "step");
    else row.removeAttribute("aria-current");
  });
  at("frame").value = JSON.stringify(step.frame, null, 2);
  at("where").textContent = `to ${script.sockets[step.socket]}`;
}

function leave() {
  for (const socket of sockets.values()) socket.close();
  sockets.clear();
  known = {};
  open();
}

function begin() {
  leave();
  script = model[choice.value];
  document.getElementById("ae-script-note").textContent = script.note;
  say("");
  show(0);
}

choice.addEventListener("change", begin);
document.getElementById("ae-playground-form").addEventListener("submit", (event) => {
  event.preventDefault();
  send();
});
at("close").addEventListener("click", () => {
  leave();
  show(0);
});
at("clear").addEventListener("click", () => at("log").replaceChildren());
setInterval(() => {
  const isDue = performance.now() - beatAt >= (known.heartbeat_seconds ?? BEAT_SECONDS) * 1000;
  if (!at("beats").checked || !isDue) return;
  beatAt = performance.now();
  for (const [name, frame] of Object.entries(script.beats)) {
    const socket = sockets.get(name);
    // The first frame of a component is its register; a beat before it would be refused.
    if (socket?.readyState === WebSocket.OPEN && known.component_id) socket.send(JSON.stringify(frame));
  }
}, 250);
begin();
