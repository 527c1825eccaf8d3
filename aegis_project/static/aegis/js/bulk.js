// What is done to several rows at once: Unfold's panel of actions, with verbs instead of a select.

// What is asked for less often than the lever stands in a menu behind it.
const MORE = ["tag", "assign", "export"];

/** Show the select of actions as one joined group of verbs. */
export function arrange() {
  const select = document.querySelector("#changelist-actions select[name=action]");
  if (!select) return;
  const group = document.createElement("div");
  group.className = "ae-group";
  group.setAttribute("role", "group");
  group.setAttribute("aria-label", "Verbs");
  const buttons = [...select.options].filter((one) => one.value).map(verb);
  const rest = buttons.filter((one) => MORE.includes(one.value));
  group.append(...buttons.filter((one) => !rest.includes(one)));
  // Django's own script looks for the button of the select, so both stay, unseen.
  const holder = select.closest(".primary");
  for (const child of holder.children) child.hidden = true;
  select.disabled = true;
  if (group.children.length) holder.append(group);
  if (rest.length) holder.append(menu(rest));
  count();
}

function verb(option) {
  const button = document.createElement("button");
  button.type = "submit";
  button.name = "action";
  button.value = option.value;
  button.className = "ae-button";
  button.textContent = option.textContent;
  if (option.value === "end") button.dataset.kind = "danger";
  return button;
}

function menu(buttons) {
  const more = document.createElement("div");
  more.className = "ae-bulk-more";
  const list = document.createElement("div");
  list.id = "ae-bulk-list";
  list.hidden = true;
  list.append(...buttons);
  const opener = document.createElement("button");
  opener.type = "button";
  opener.className = "ae-button";
  opener.title = "More verbs";
  opener.setAttribute("aria-controls", list.id);
  opener.setAttribute("aria-expanded", "false");
  const icon = Object.assign(document.createElement("span"), { className: "material-symbols-outlined", textContent: "more_horiz" });
  icon.setAttribute("aria-hidden", "true");
  opener.append(icon, Object.assign(document.createElement("span"), { className: "ae-said", textContent: "More verbs" }));
  opener.addEventListener("click", () => open(more, list.hidden));
  more.append(opener, list);
  return more;
}

function open(more, isOpen) {
  more.lastChild.hidden = !isOpen;
  more.firstChild.setAttribute("aria-expanded", String(isOpen));
  if (isOpen) more.lastChild.firstChild.focus();
}

document.addEventListener("click", (event) => {
  const more = document.querySelector(".ae-bulk-more");
  if (more && !more.contains(event.target)) open(more, false);
});

document.addEventListener("keydown", (event) => {
  const more = document.querySelector(".ae-bulk-more");
  if (event.key !== "Escape" || !more || more.lastChild.hidden) return;
  open(more, false);
  more.firstChild.focus();
});

/** What is done with two stands there when two are selected. */
function count() {
  const button = document.querySelector("#changelist-actions button[value=compare]");
  const chosen = document.querySelectorAll("tr input.action-select:checked");
  if (button) button.hidden = chosen.length !== 2;
}

document.addEventListener("change", (event) => {
  if (event.target.matches(".action-select, #action-toggle")) count();
});

/** Let Unfold know of rows that came after it had looked. */
export function rewire() {
  const boxes = document.querySelectorAll("tr input.action-select");
  const parent = document.querySelector(".result-list-wrapper");
  const counter = parent?.querySelector(".action-counter");
  if (!boxes.length || !counter) return;
  counter.dataset.actionsIcnt = boxes.length;
  window.Actions?.(boxes, { parent });
}
