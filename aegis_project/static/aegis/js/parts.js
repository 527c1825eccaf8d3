// Parts of a page that the server renders: each is morphed into what it looks like now.

import { morph } from "./morph.js";
import { writeAll } from "./times.js";

export class Parts {
  /**
   * `ask` is the frame that subscribes to them. While the view is held, those that changed are
   * counted as new, but for where another feed of the page has what is counted.
   */
  constructor(ask, { isCounted = true } = {}) {
    this.ask = ask;
    this.isCounted = isCounted;
    this.held = {};
  }

  frames() {
    return [this.ask];
  }

  take(frame, live) {
    if (frame.type !== "parts") return false;
    this.isReady = true;
    if (live.isHeld) {
      Object.assign(this.held, frame.parts);
      if (this.isCounted) this.count = Object.keys(this.held).length;
    } else this.paint(frame.parts);
    return true;
  }

  paint(parts) {
    for (const [name, html] of Object.entries(parts)) {
      const element = document.getElementById(`ae-${name}`);
      if (!element) continue;
      morph(element, html);
      writeAll(element);
    }
  }

  release() {
    this.paint(this.held);
    this.held = {};
    this.count = 0;
  }
}
