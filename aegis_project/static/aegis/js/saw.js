// What the agent of a run was shown, above the runs: asked for when somebody wants to see it.
// Where there is no room for the runs beside the conversation, they are a sheet over it.

import { tell } from "./live.js";

/** A sheet that a button opens; it goes when somebody goes on elsewhere. */
class Sheet {
  constructor(drawer) {
    this.drawer = drawer;
    this.opener = document.getElementById("ae-runs-open");
    this.shutter = document.getElementById("ae-runs-shut");
    this.opener.addEventListener("click", () => this.open());
    this.shutter.addEventListener("click", () => this.shut());
    drawer.addEventListener("focusout", ({ relatedTarget }) => {
      if (relatedTarget && !drawer.contains(relatedTarget)) this.hide();
    });
  }

  open() {
    this.drawer.dataset.open = "";
    this.opener.setAttribute("aria-expanded", "true");
    this.shutter.focus();
  }

  shut() {
    if (!("open" in this.drawer.dataset)) return;
    this.hide();
    this.opener.focus();
  }

  hide() {
    delete this.drawer.dataset.open;
    this.opener.setAttribute("aria-expanded", "false");
  }
}

export class Saw {
  constructor() {
    this.place = document.getElementById("ae-saw");
    const drawer = this.place.parentElement;
    this.sheet = new Sheet(drawer);
    drawer.addEventListener("click", (event) => {
      const opener = event.target.closest("[data-saw]");
      if (opener) this.open(opener.dataset.saw);
      else if (event.target.closest("[data-close]")) this.close();
    });
    drawer.addEventListener("keydown", (event) => event.key === "Escape" && this.back());
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

  /** One step: from what was seen to the runs, and from the runs to the conversation. */
  back() {
    if (this.place.hidden) this.sheet.shut();
    else this.close();
  }

  close() {
    this.place.hidden = true;
    this.place.replaceChildren();
    document.querySelector(`[data-saw="${CSS.escape(this.address)}"]`)?.focus();
    this.address = "";
  }
}
