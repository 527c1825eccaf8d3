// What is done to several rows at once: Unfold's panel of actions, with verbs instead of a select.

/** Show the select of actions as one joined group of verbs. */
export function arrange() {
  const select = document.querySelector("#changelist-actions select[name=action]");
  if (!select) return;
  const group = document.createElement("div");
  group.className = "ae-group";
  group.setAttribute("role", "group");
  group.setAttribute("aria-label", "Verbs");
  for (const option of [...select.options].filter((one) => one.value)) {
    const button = document.createElement("button");
    button.type = "submit";
    button.name = "action";
    button.value = option.value;
    button.className = "ae-button";
    button.textContent = option.textContent;
    if (option.value === "end") button.dataset.kind = "danger";
    group.append(button);
  }
  // Django's own script looks for the button of the select, so both stay, unseen.
  const holder = select.closest(".primary");
  for (const child of holder.children) child.hidden = true;
  select.disabled = true;
  holder.append(group);
  count();
}

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
