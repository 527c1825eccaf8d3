// Capsules of several sessions, one after the other: what came is saved, what was refused can be tried again.

const page = document.getElementById("ae-export");
const go = document.getElementById("ae-export-go");
const said = document.getElementById("ae-export-said");
const bar = page.querySelector("progress");
const rows = [...page.querySelectorAll("tr[data-capsule]")];
const failed = new Set();
let done = 0;

const size = (bytes) =>
  bytes < 1024 * 1024 ? `${Math.ceil(bytes / 1024)} KiB` : `${(bytes / 1024 / 1024).toFixed(1)} MiB`;

function place(row, ...parts) {
  row.querySelector("td:last-child").replaceChildren(...parts);
}

function link(row, file) {
  const name = `${row.dataset.name}.capsule`.replaceAll(":", "_");
  return Object.assign(document.createElement("a"), {
    className: "ae-link",
    href: URL.createObjectURL(file),
    download: name,
    textContent: name,
  });
}

function problem(row, message, code) {
  const why = Object.assign(document.createElement("span"), { textContent: `${message} ` });
  const word = Object.assign(document.createElement("span"), { className: "ae-mono", textContent: code });
  place(row, why, word);
  failed.add(row);
}

/** Fetch one capsule and hand it to whoever looks at the page. */
async function take(row) {
  place(row, "On its way…");
  try {
    const answer = await fetch(row.dataset.capsule, { headers: { Accept: "application/zip, application/json" } });
    if (!answer.ok) {
      const { error } = await answer.json();
      problem(row, error.message, error.code);
      return;
    }
    const file = await answer.blob();
    const saved = link(row, file);
    place(row, saved, ` ${size(file.size)}`);
    saved.click();
    done += 1;
  } catch {
    problem(row, "The server does not answer.", "OFFLINE");
  }
}

async function all(wanted) {
  page.querySelector(".ae-export-course").hidden = false;
  go.disabled = true;
  failed.clear();
  bar.max = wanted.length;
  for (const [place, row] of wanted.entries()) {
    bar.value = place;
    said.textContent = `${place + 1} of ${wanted.length}`;
    await take(row);
  }
  bar.value = wanted.length;
  said.textContent = `${done} exported, ${failed.size} refused`;
  go.disabled = false;
  go.hidden = !failed.size;
  go.textContent = `Retry the ${failed.size} refused`;
}

go.addEventListener("click", () => all(failed.size ? [...failed] : rows));
