// Writing on a case: drafts that survive a reload, sending without leaving the page, and nothing
// typed is ever lost.

import { load, restart, show } from "./live.js";
import { closeMenus } from "./menus.js";

let tried = null;
let sending = false;

const form = () => document.getElementById("case-form");
const texts = () => [...form().querySelectorAll("[data-draft]")];
const place = (text) =>
  `checkout-case-draft:${form().dataset.agent}:${form().dataset.reference}:${text.dataset.draft}`;

export function tell(message) {
  const toast = document.getElementById("said");
  toast.textContent = message;
  clearTimeout(toast.timer);
  toast.timer = setTimeout(() => (toast.textContent = ""), 4000);
}

function keep(text) {
  if (text.value) sessionStorage.setItem(place(text), text.value);
  else sessionStorage.removeItem(place(text));
}

function restore() {
  for (const text of texts()) {
    const kept = sessionStorage.getItem(place(text));
    if (kept && !text.value) text.value = kept;
  }
  const [reply, note] = ["reply", "note"].map((name) => form().querySelector(`[data-draft="${name}"]`));
  if (note?.value && !reply?.value) choose("note", false);
}

/** Shows the reply or the note, and puts the cursor there. */
export function choose(mode, focus = true) {
  const radio = document.getElementById(`mode-${mode}`);
  if (!radio) return;
  radio.checked = true;
  if (focus) form().querySelector(`[data-draft="${mode}"]`).focus();
}

function newKey(name) {
  const field = form().elements[name];
  if (field) field.value = crypto.getRandomValues(new Uint32Array(4)).join("-");
}

async function send(button) {
  if (sending) return;
  const keyField = button.dataset.keyField;
  const text = keyField && form().querySelector(`[data-draft="${keyField.replace("_key", "")}"]`);
  // The same text tried again is the same message; a changed one is another.
  if (text && tried !== null && tried !== text.value) newKey(keyField);
  if (text) tried = text.value;
  const data = new FormData(form(), button);
  sending = true;
  button.setAttribute("aria-disabled", "true");
  restart();
  let answer = null;
  try {
    answer = await load("POST", button.formAction, { body: new URLSearchParams(data) });
  } catch {
    answer = { status: 0 };
  }
  sending = false;
  button.removeAttribute("aria-disabled");
  after(answer, button, text);
}

function after({ status, page }, button, text) {
  if (!page?.getElementById("case")) {
    const told = page?.querySelector("[data-error] p")?.textContent;
    tell(told || document.getElementById("said").dataset.lost);
    return;
  }
  const unchanged = text && text.value === tried;
  closeMenus();
  if (status === 200 && text) {
    newKey(button.dataset.keyField);
    tried = null;
    if (unchanged) text.value = "";
    keep(text);
  }
  show(page);
  restart();
  if (status === 200) {
    tell(button.dataset.done);
    text?.focus();
  } else {
    (document.querySelector("[data-conflict]") ?? document.querySelector("[data-reason]"))?.focus();
  }
}

export function startComposer() {
  if (!form()) return;
  restore();
  document.addEventListener("input", (event) => {
    if (event.target.matches?.("[data-draft]")) keep(event.target);
  });
  document.addEventListener("submit", (event) => {
    if (event.target !== form() || !event.submitter) return;
    event.preventDefault();
    send(event.submitter);
  });
  document.addEventListener("keydown", (event) => {
    const mode = event.target.dataset?.draft;
    if (!mode || event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    form().requestSubmit(form().querySelector(`[data-send="${mode}"]`));
  });
  document.addEventListener("click", (event) => {
    // A pointer goes on to type; arrow keys may only be passing by (their clicks count nothing).
    if (event.target.name === "mode" && event.detail > 0) choose(event.target.value);
  });
}
