// A sink for Aegis in JavaScript: Node 22 or newer, no package. It knows nothing but docs/protocol.md.
//
//   AEGIS_URL=http://127.0.0.1:8000 AEGIS_SESSION_TOKEN=… node examples/node/sink.mjs FILE TOPIC…
//
// Every record becomes a line of FILE, together with the position after it: the effect and the cursor
// are one write, so that a sink that is killed goes on exactly where its file ends.

import { closeSync, existsSync, openSync, readFileSync, truncateSync, writeSync } from "node:fs";
import { elements, members } from "./frames.mjs";
import { Track } from "./track.mjs";

const [file, ...topics] = process.argv.slice(2);
const server = new URL(process.env.AEGIS_URL ?? "http://127.0.0.1:8000");
const token = process.env.AEGIS_SESSION_TOKEN;
server.protocol = server.protocol === "https:" ? "wss:" : "ws:";

const BATCH = 200;
const SILENT_BEATS = 2.5;
const FIRST_PAUSE = 1000;
const LONGEST_PAUSE = 30_000;

let componentId = process.env.AEGIS_COMPONENT_ID ?? "";
const tracks = new Map(topics.map((topic) => [topic, new Track(topic)]));
const output = recover();

// The positions in the file are the cursors; a line that was cut off by a crash never happened.
function recover() {
  const text = existsSync(file) ? readFileSync(file, "utf8") : "";
  const whole = text.slice(0, text.lastIndexOf("\n") + 1);
  for (const line of whole.split("\n").filter(Boolean)) {
    const { topic, epoch, seq, ck } = JSON.parse(line);
    if (tracks.has(topic)) tracks.set(topic, new Track(topic, { epoch, seq, ck }));
  }
  if (existsSync(file)) truncateSync(file, Buffer.byteLength(whole));
  return openSync(file, "a");
}

function write(track, ts, text) {
  const { epoch, seq, ck } = track.cursor;
  const line = `{"topic":${JSON.stringify(track.topic)},"epoch":"${epoch}","seq":${seq},"ck":"${ck}"`;
  writeSync(output, `${line},"ts":${ts},"data":${text}}\n`);
}

const say = (socket, frame) => socket.readyState === WebSocket.OPEN && socket.send(JSON.stringify(frame));
const tell = (text) => console.log(text);
// Said before a close that is no fault of anybody.
const EXPECTED = new Set(["SESSION_OVER", "DRAINING"]);
const refused = ({ code, message }) => EXPECTED.has(code) || tell(`error: ${code} ${message ?? ""}`);

// One registration: both sockets, from the register to the close code that ends it.
class Registration {
  constructor() {
    this.aliases = new Map();
    this.beat = 0;
    this.heardAt = Date.now();
    this.retryMs = null;
    this.isJoined = false;
    this.ended = new Promise((resolve) => (this.end = resolve));
  }

  async run() {
    this.control = this.open("/ws/control", (frame) => this.onControl(frame));
    this.control.onopen = () =>
      say(this.control, {
        session_token: token,
        component_id: componentId || undefined,
        name: "node-sink",
        role: "sink",
        topics,
        proto: { v: 1, batch: true },
      });
    const end = await this.ended;
    clearInterval(this.timer);
    for (const socket of [this.control, this.data]) socket?.close();
    return end;
  }

  open(path, hear) {
    const socket = new WebSocket(new URL(path, server));
    socket.onmessage = ({ data }) => {
      this.heardAt = Date.now();
      try {
        hear(JSON.parse(data), data);
      } catch (error) {
        tell(error.message);
        this.end({ code: 4000 });
      }
    };
    socket.onerror = () => {};
    socket.onclose = ({ code }) => this.end({ code, retryMs: this.retryMs, isJoined: this.isJoined });
    return socket;
  }

  onControl(frame) {
    if (frame.COMMAND === "ACK" && !this.isJoined) this.join(frame);
    else if (frame.COMMAND === "DRAIN") this.retryMs = frame.retry_ms;
    else if (frame.COMMAND === "ERROR") refused(frame);
  }

  join(ack) {
    this.isJoined = true;
    componentId = ack.component_id;
    const period = (ack.heartbeat_seconds ?? 5) * 1000;
    this.timer = setInterval(() => this.tick(period), period);
    this.data = this.open(ack.data_socket, (frame, text) => this.onData(frame, text));
    this.data.onopen = () => say(this.data, { session_token: token, component_id: componentId });
  }

  tick(period) {
    if (Date.now() - this.heardAt > SILENT_BEATS * period) this.end({ code: 1006, isJoined: true });
    say(this.control, { COMMAND: "HEARTBEAT", n: (this.beat += 1) });
  }

  onData(frame, text) {
    if (frame.COMMAND === undefined) return this.onRecords(frame, text);
    const track = this.aliases.get(frame.alias) ?? tracks.get(frame.topic);
    switch (frame.COMMAND) {
      case "ACK":
        return say(this.data, { COMMAND: "SUBSCRIBE", id: 1, topics: [...tracks.values()].map(request) });
      case "SUBSCRIBED":
        return this.onSubscribed(frame);
      case "POS":
        for (const [alias, [seq, ck]] of Object.entries(frame.pos)) {
          this.aliases.get(Number(alias))?.confirm(seq, ck);
        }
        return undefined;
      case "GAP":
        tell(`${track.topic}: ${frame.count ?? "unknown"} missing (${frame.reason})`);
        return track.gap(frame);
      case "REWIND":
        tell(`${track.topic}: back to ${frame.to} (${frame.reason})`);
        return track.move(frame.epoch, frame.to, frame.ck);
      case "END":
        return tell(`${track.topic}: end at ${frame.seq}, ${track.proves(frame) ? "" : "not "}verified`);
      case "ERROR":
        if (frame.details?.retry_ms !== undefined) this.retryMs = frame.details.retry_ms;
        return refused(frame);
      default:
        return undefined;
    }
  }

  onSubscribed(frame) {
    for (const entry of frame.topics) {
      const track = tracks.get(entry.topic);
      track.place(entry);
      this.aliases.set(entry.alias, track);
    }
    for (const { topic, code } of frame.errors) tell(`${topic}: ${code}`);
    say(this.control, { COMMAND: "READY" });
  }

  onRecords(frame, text) {
    const track = this.aliases.get(frame.alias) ?? tracks.get(frame.topic);
    const raw = members(text);
    const isBatch = frame.first !== undefined;
    const texts = isBatch ? elements(raw.get("msgs")) : [raw.get("data")];
    const times = isBatch ? frame.ts : [frame.ts];
    texts.forEach((data, place) => {
      if (track.take((frame.first ?? frame.seq) + place, data)) write(track, times[place], data);
    });
    if (frame.ck) track.confirm((frame.first ?? frame.seq) + texts.length - 1, frame.ck);
    if (track.seq % BATCH < texts.length) this.commit(track);
  }

  commit(track) {
    say(this.data, { COMMAND: "COMMIT", pos: { [track.topic]: track.seq } });
  }
}

const request = ({ topic, cursor }) => (cursor ? { topic, cursor } : { topic, from: "earliest" });

// Again and again until a close code says that there is nothing to come back for.
let attempt = 0;
for (;;) {
  const { code, retryMs, isJoined } = await new Registration().run();
  if (code === 1000 || code === 4005) break;
  if (code >= 4000 && code < 4100) {
    tell(`closed: ${code}`);
    process.exitCode = 1;
    break;
  }
  attempt = isJoined ? 1 : attempt + 1;
  const isNow = code >= 4200 && code < 4300 && isJoined;
  const longest = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** attempt);
  const pause = retryMs ?? (isNow ? 0 : longest * (0.5 + Math.random() / 2));
  await new Promise((resolve) => setTimeout(resolve, pause));
}
closeSync(output);
