// One topic as this component has received it: where it is, and what that proves.

import { chain } from "./frames.mjs";

export class Track {
  constructor(topic, cursor = null) {
    Object.assign(this, { topic, epoch: "", seq: 0, ck: null, isWhole: true });
    if (cursor) Object.assign(this, { ...cursor, ck: Buffer.from(cursor.ck, "hex") });
  }

  get cursor() {
    return this.ck && { epoch: this.epoch, seq: this.seq, ck: this.ck.toString("hex") };
  }

  // SUBSCRIBED says where delivery begins. A cursor that was not proven is followed by a GAP.
  place({ epoch, next, ck, resumed }) {
    if (this.cursor && !resumed) return;
    this.move(epoch, next - 1, ck);
  }

  move(epoch, seq, ck) {
    Object.assign(this, { epoch, seq, ck: Buffer.from(ck, "hex") });
  }

  // The next record, as the text of its data; false for one that was received before.
  take(seq, text) {
    if (seq <= this.seq) return false;
    if (seq !== this.seq + 1) throw new Error(`${this.topic}: ${seq} follows ${this.seq}`);
    [this.seq, this.ck] = [seq, chain(this.ck, seq, text)];
    return true;
  }

  // What the server says it sent must be what was received here.
  confirm(seq, ck) {
    if (seq === this.seq && ck !== this.ck.toString("hex")) {
      throw new Error(`${this.topic}: the chain breaks at ${seq}`);
    }
  }

  gap({ epoch, next, ck }) {
    this.isWhole = false;
    this.move(epoch, next - 1, ck);
  }

  // A receipt: the same number, the same chain value, and nothing was missing.
  proves({ epoch, seq, ck }) {
    const same = epoch === this.epoch && seq === this.seq && ck === this.ck?.toString("hex");
    return same && this.isWhole;
  }
}
