// What the agent of a run was shown, above the runs: asked for when somebody wants to see it.

import { tell } from "./live.js";

export class Saw {
  constructor() {
    this.place = document.getElementById("ae-saw");
    const drawer = this.place.parentElement;
    drawer.addEventListener("click", (event) => {
      const opener = event.target.closest("[data-saw]");
      if (opener) this.open(opener.dataset.saw);
      else if (event.target.closest("[data-close]")) this.close();
    });
    drawer.addEventListener("keydown", (event) => event.key === "Escape" && this.close());
  }

  async open(address) {
    this.address = address;
    const answer = await fetch(address).catch(() => null);
    const html = await answer?.text().catch(() => null);
    if (this.address !== address) return;
    if (!html) {
      tell(document.getElementById("ae-problem"), { message: "The server did not answer.", code: "OFFLINE" });
      return;
    }
    this.place.innerHTML = html;
    this.place.hidden = false;
    this.place.querySelector("h3")?.focus();
  }

  close() {
    if (this.place.hidden) return;
    this.place.hidden = true;
    this.place.replaceChildren();
    document.querySelector(`[data-saw="${CSS.escape(this.address)}"]`)?.focus();
    this.address = "";
  }
}
