// Copying, and selects that lead somewhere; both by delegation, for every page of ours.

async function copy(button) {
  const link = button.dataset.copyLink;
  const text = link
    ? new URL(link, location.href).href
    : document.getElementById(button.dataset.copy)?.textContent.trim();
  if (!text) return;
  await navigator.clipboard.writeText(text).catch(() => select(button.dataset.copy));
  say(button);
}

// Without the right to the clipboard the text is selected, so that one key copies it.
function select(id) {
  const element = document.getElementById(id);
  if (element) getSelection().selectAllChildren(element);
}

function say(button) {
  if (button.nextElementSibling?.classList.contains("ae-copy-said")) return;
  const said = document.createElement("span");
  said.className = "ae-copy-said";
  said.setAttribute("role", "status");
  said.textContent = "Copied";
  button.after(said);
  setTimeout(() => said.remove(), 2500);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy], [data-copy-link]");
  if (button) copy(button);
});

document.addEventListener("change", (event) => {
  if (event.target.matches("select[data-goes]")) location.assign(event.target.value);
});
