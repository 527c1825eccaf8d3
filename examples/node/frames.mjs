// The chain of the protocol (docs/protocol.md, section 6) and the raw text of the values it is made of.

import { createHash } from "node:crypto";

const digest = (...parts) => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest().subarray(0, 8);
};

// The chain value before the first record of a topic.
export const genesis = (topic, epoch) => digest(topic, Buffer.from([0]), epoch);

// The chain value after a record whose data stand in the frame as this text.
export const chain = (ck, seq, text) => {
  const number = Buffer.alloc(8);
  number.writeBigUInt64BE(BigInt(seq));
  return digest(ck, number, Buffer.from(text, "utf8"));
};

// JSON.parse forgets how a value was written, and the chain is made of just that. These two cut the
// text of an object or array, which JSON.parse has already found sound, into the texts of its values.
export const members = (text) => new Map(values(text).map(([name, raw]) => [JSON.parse(name), raw]));
export const elements = (text) => values(text).map(([, raw]) => raw);

function values(text) {
  const found = [];
  let [depth, start, name, inString] = [0, 0, null, false];
  const end = (place) => {
    const raw = text.slice(start, place).trim();
    if (raw) found.push([name, raw]);
    [start, name] = [place + 1, null];
  };
  for (let place = 0; place < text.length; place += 1) {
    const sign = text[place];
    if (inString) {
      if (sign === "\\") place += 1;
      else if (sign === '"') inString = false;
    } else if (sign === '"') inString = true;
    else if (sign === "{" || sign === "[") {
      depth += 1;
      if (depth === 1) start = place + 1;
    } else if (sign === "}" || sign === "]") {
      if (depth === 1) end(place);
      depth -= 1;
    } else if (sign === "," && depth === 1) end(place);
    else if (sign === ":" && depth === 1 && name === null) {
      [name, start] = [text.slice(start, place).trim(), place + 1];
    }
  }
  return found;
}
