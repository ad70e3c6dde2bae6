// The policy's editor: line numbers, Tab, and what is wrong while somebody types. Without this
// module the form checks when it is sent.

const PAUSE = 400;

const form = document.querySelector("[data-editor]");
const area = form.querySelector("textarea");
const numbers = form.querySelector("[data-numbers]");
const box = form.querySelector("[data-problems]");
const verdict = form.querySelector("[data-verdict]");
const list = form.querySelector("[data-list]");

let bad = new Set([...list.querySelectorAll("[data-line]")].map((link) => Number(link.dataset.line)));
let timer = 0;
let asked = 0;
let leaving = false;

function number() {
  const lines = [];
  const count = area.value.split("\n").length;
  for (let line = 1; line <= count; line += 1) {
    const shown = document.createElement("span");
    shown.textContent = bad.has(line) ? `! ${line}\n` : `${line}\n`;
    shown.classList.toggle("is-bad", bad.has(line));
    lines.push(shown);
  }
  numbers.replaceChildren(...lines);
  numbers.scrollTop = area.scrollTop;
}

function goTo(line) {
  const before = area.value.split("\n").slice(0, line - 1);
  const start = before.join("\n").length + (before.length ? 1 : 0);
  const end = area.value.indexOf("\n", start);
  area.focus();
  area.setSelectionRange(start, end < 0 ? area.value.length : end);
  const height = area.scrollHeight / area.value.split("\n").length;
  area.scrollTop = Math.max(0, (line - 5) * height);
}

function item({ line, key, message }) {
  const row = document.createElement("li");
  const link = document.createElement("a");
  link.href = "#policy-text";
  link.dataset.line = line;
  link.textContent = form.dataset.line.replace("{}", line);
  const text = document.createElement("span");
  text.dir = "auto";
  if (key) {
    const where = document.createElement("bdi");
    where.dir = "ltr";
    where.textContent = key;
    text.append(where, ": ");
  }
  text.append(message);
  row.append(link, " ", text);
  return row;
}

function show(answer) {
  bad = new Set(answer.problems.map((one) => one.line));
  verdict.textContent = answer.verdict;
  list.replaceChildren(...answer.problems.map(item));
  box.classList.toggle("has-some", answer.problems.length > 0);
  area.setAttribute("aria-invalid", String(answer.problems.length > 0));
  number();
}

const isTooLong = () => [...area.value].length > Number(form.dataset.limit);

function tellTooLong() {
  asked += 1;
  show({ verdict: form.dataset.long, problems: [] });
  box.classList.add("has-some");
}

async function check() {
  if (isTooLong()) return tellTooLong();
  const mine = ++asked;
  try {
    const answer = await fetch(form.dataset.check, {
      method: "POST",
      body: new FormData(form),
      headers: { Accept: "application/json" },
    });
    if (!answer.ok) throw new Error(answer.statusText);
    const told = await answer.json();
    if (mine === asked) show(told);
  } catch {
    if (mine === asked) verdict.textContent = form.dataset.lost;
  }
}

function indent() {
  // The old command keeps the browser's own undo; setting the value would lose it.
  if (!document.execCommand("insertText", false, "  ")) {
    area.setRangeText("  ", area.selectionStart, area.selectionEnd, "end");
    area.dispatchEvent(new Event("input"));
  }
}

area.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    leaving = true;
    document.getElementById("editor-hint").textContent = form.dataset.leave;
  } else if (event.key === "Tab" && !leaving && !event.shiftKey) {
    event.preventDefault();
    indent();
  } else if (event.key !== "Shift" && event.key !== "Tab") {
    leaving = false;
  }
});
area.addEventListener("blur", () => {
  leaving = false;
});
area.addEventListener("input", () => {
  number();
  clearTimeout(timer);
  timer = setTimeout(check, PAUSE);
});
area.addEventListener("scroll", () => {
  numbers.scrollTop = area.scrollTop;
});
form.addEventListener("submit", (event) => {
  if (!isTooLong()) return;
  // The server would take no more: what was typed stays here.
  event.preventDefault();
  tellTooLong();
  area.focus();
});
list.addEventListener("click", (event) => {
  const link = event.target.closest("[data-line]");
  if (!link) return;
  event.preventDefault();
  goTo(Number(link.dataset.line));
});

numbers.hidden = false;
number();
form.dataset.ready = "";
