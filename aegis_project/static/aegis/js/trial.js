// Trying a model: a question goes out, and its answer is shown piece by piece.

const form = document.querySelector("[data-trial]");

async function* values(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const parts = (rest + value).split("\n");
    rest = parts.pop();
    for (const line of parts) yield JSON.parse(line);
  }
}

function summary({ model, finish_reason, input_tokens, output_tokens, cost }) {
  const money = cost === null ? "cost unknown" : `$${cost}`;
  return `${model} · ${finish_reason} · ${input_tokens} tokens in, ${output_tokens} out · ${money}`;
}

async function ask() {
  const answer = form.querySelector("[data-answer]");
  const note = form.querySelector("[data-note]");
  const button = form.querySelector("button");
  answer.hidden = false;
  answer.textContent = "";
  note.textContent = "Asking…";
  form.dataset.state = "asking";
  button.setAttribute("aria-disabled", "true");
  try {
    const response = await fetch(form.action, { method: "POST", body: new FormData(form) });
    if (!response.ok) throw new Error(`The server refused it (${response.status}).`);
    let end = null;
    for await (const value of values(response)) {
      if (value.text) answer.append(value.text);
      else end = value;
    }
    if (!end) throw new Error("The answer broke off.");
    note.textContent = end.done ? summary(end.done) : `${end.error.message} (${end.error.code})`;
    form.dataset.state = end.done ? "done" : "failed";
  } catch (error) {
    note.textContent = error.message;
    form.dataset.state = "failed";
  } finally {
    button.removeAttribute("aria-disabled");
  }
}

form?.addEventListener("submit", (event) => {
  event.preventDefault();
  if (form.dataset.state !== "asking") ask();
});
