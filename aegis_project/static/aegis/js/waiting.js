// How many approvals wait: in the sidebar, in the title and in the icon of every page.

const badge = document.getElementById("ae-waiting");
const icon = document.querySelector("link[rel=icon]");
const title = document.title;
const said = document.createElement("div");
said.className = "ae-said";
said.setAttribute("role", "status");

// Where the sidebar is folded away, the count stands beside the title of the page.
const link = document.createElement("a");
link.className = "ae-waiting ae-waiting-link";
link.id = "ae-waiting-link";

function show(count) {
  const text = count > 99 ? "99+" : String(count);
  badge.dataset.count = count;
  badge.hidden = !count;
  badge.firstElementChild.textContent = text;
  link.hidden = !count;
  link.textContent = text;
  link.setAttribute("aria-label", `Approvals: ${text} waiting`);
  document.title = count ? `(${text}) ${title}` : title;
  if (icon) icon.href = icon.href.replace(/favicon[a-z-]*\.svg/, count ? "favicon-waiting.svg" : "favicon.svg");
}

/** A feed of every page's socket; whoever has no such place in the sidebar asks for nothing. */
export class Waiting {
  constructor() {
    this.isAnswered = false;
    if (!badge) return;
    document.body.append(said);
    link.href = badge.closest("a").href;
    document.querySelector("#header-inner h1")?.after(link);
    show(Number(badge.dataset.count));
  }

  get isReady() {
    return !badge || this.isAnswered;
  }

  set isReady(is) {
    this.isAnswered = is;
  }

  frames() {
    return badge ? [{ type: "waiting" }] : [];
  }

  take({ type, count }) {
    if (type !== "waiting") return false;
    const more = count - Number(badge.dataset.count);
    if (more > 0) said.textContent = `${more === 1 ? "One more approval waits" : `${more} more approvals wait`}, ${count} in all.`;
    this.isAnswered = true;
    show(count);
    return true;
  }
}
