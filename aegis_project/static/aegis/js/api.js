// Forms of a page of the interface: sent as programs send them, and answered in place.

const TOKEN = "#ae-api [name=csrfmiddlewaretoken]";

async function send(form) {
  const method = form.dataset.method;
  const body = form.elements.body?.value ?? (method === "DELETE" ? undefined : "{}");
  const headers = { Accept: "text/html", "X-CSRFToken": document.querySelector(TOKEN).value };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (method === "POST") headers["Idempotency-Key"] = crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`;
  const answer = await fetch(form.action, { method, headers, body });
  const text = await answer.text();
  if (!(answer.headers.get("Content-Type") ?? "").startsWith("text/html")) {
    document.getElementById("ae-api-body").textContent = text;
    return answer;
  }
  const page = new DOMParser().parseFromString(text, "text/html");
  document.getElementById("ae-api").replaceWith(page.getElementById("ae-api"));
  document.title = page.title;
  return answer;
}

const say = (text) => {
  document.getElementById("ae-api-said").textContent = text;
};

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.dataset.method) return;
  event.preventDefault();
  const buttons = form.querySelectorAll("button");
  for (const button of buttons) button.disabled = true;
  try {
    const answer = await send(form);
    say(`Answered ${answer.status}`);
    document.getElementById("ae-api-title").focus();
    scrollTo(0, 0);
  } catch {
    say("The server cannot be reached. Nothing was sent.");
  } finally {
    for (const button of buttons) button.disabled = false;
  }
});
