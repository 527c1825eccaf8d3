// The drawer beside the event list: one event in full.

import { writeAll } from "./times.js";

export class Drawer {
  constructor(page) {
    this.element = document.getElementById("ae-drawer");
    this.list = document.getElementById("ae-events");
    this.events = page.dataset.events;
    this.list.addEventListener("click", (event) => this.clicked(event));
    this.element.addEventListener("click", (event) => {
      if (event.target.closest("[data-close]")) this.close();
    });
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !this.element.hidden && !document.querySelector("dialog[open]")) {
        this.close();
      }
    });
    if (page.dataset.at) this.openAt(page.dataset.at);
  }

  clicked(event) {
    const link = event.target.closest("a[data-drawer]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    history.replaceState(null, "", link.href);
    this.open(link);
  }

  openAt(seq) {
    const link = this.list.querySelector(`[data-seq="${CSS.escape(seq)}"] a[data-drawer]`);
    if (!link) return this.show(`${this.events}${seq}/`);
    link.closest("li").scrollIntoView({ block: "center" });
    this.open(link);
  }

  /** The event at a position, in the list or not. */
  openEvent(seq) {
    const url = new URL(location.href);
    url.searchParams.set("at", seq);
    history.replaceState(null, "", url);
    const link = this.list.querySelector(`[data-seq="${seq}"] a[data-drawer]`);
    if (link) this.open(link);
    else this.show(`${this.events}${seq}/`);
  }

  open(link) {
    this.list.querySelector("[aria-current]")?.removeAttribute("aria-current");
    link.closest("li").setAttribute("aria-current", "true");
    this.link = link;
    return this.show(link.dataset.drawer);
  }

  async show(address) {
    this.address = address;
    const answer = await fetch(address);
    if (this.address !== address) return;
    this.element.innerHTML = await answer.text();
    writeAll(this.element);
    this.element.hidden = false;
  }

  close() {
    this.element.hidden = true;
    this.list.querySelector("[aria-current]")?.removeAttribute("aria-current");
    const url = new URL(location.href);
    url.searchParams.delete("at");
    history.replaceState(null, "", url);
    this.link?.focus({ preventScroll: true });
  }
}
