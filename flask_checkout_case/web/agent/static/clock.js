// One clock for every countdown, age and moment of the page, by the server's time.

const html = document.documentElement;
const words = document.getElementById("clock-words")?.dataset ?? {};
const offset = Number(html.dataset.now || Date.now()) - Date.now();
const language = `${html.lang}-u-nu-latn`;
const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
const unit = (number, name) => words[name].replace("{}", number);

function span(seconds) {
  const place = UNITS.findIndex(([name, size]) => seconds >= size || name === "second");
  const [name, size] = UNITS[place];
  const parts = [unit(Math.floor(seconds / size), name)];
  if (UNITS[place + 1]) {
    const [smaller, part] = UNITS[place + 1];
    parts.push(unit(Math.floor((seconds % size) / part), smaller));
  }
  return parts.join(" ");
}

function age(seconds) {
  if (seconds < 60) return words.now;
  const [name, size] = UNITS.find((one) => seconds >= one[1]);
  return unit(Math.floor(seconds / size), name);
}

const put = (element, text) => {
  if (element.textContent !== text) element.textContent = text;
};

const NEW = "data-told";
const today = new Intl.DateTimeFormat(language, { hour: "numeric", minute: "2-digit" });
const earlier = new Intl.DateTimeFormat(language, { day: "numeric", month: "short", hour: "numeric", minute: "2-digit" });
const exactly = new Intl.DateTimeFormat(language, { dateStyle: "full", timeStyle: "long" });

function moments() {
  for (const element of document.querySelectorAll("[data-at]")) {
    const at = new Date(Number(element.dataset.at));
    const near = at.toDateString() === new Date().toDateString();
    put(element, (near ? today : earlier).format(at));
    if (!element.title) element.title = exactly.format(at);
  }
}

/** Brings every countdown up to this second. */
export function tick() {
  const now = Date.now() + offset;
  for (const element of document.querySelectorAll("[data-due]")) {
    const left = Number(element.dataset.due) - now;
    const state = left < 0 ? "overdue" : now >= Number(element.dataset.soon) ? "soon" : "fine";
    const pattern = left < 0 ? words.over : words.left;
    put(element.querySelector("[data-left]"), pattern.replace("{}", span(Math.floor(Math.abs(left) / 1000))));
    if (element.getAttribute(NEW) === state) continue;
    element.setAttribute(NEW, state);
    for (const one of ["overdue", "soon", "fine"]) element.classList.toggle(`is-${one}`, one === state);
    put(element.querySelector("[data-state]"), words[state]);
  }
  for (const element of document.querySelectorAll("[data-age]")) {
    put(element, age(Math.max(0, (now - Number(element.dataset.age)) / 1000)));
  }
  for (const element of document.querySelectorAll("[data-since]")) {
    put(element, span(Math.max(0, Math.floor((now - Number(element.dataset.since)) / 1000))));
  }
  moments();
}

export function startClock() {
  if (!words.over) return;
  tick();
  setInterval(() => {
    if (!document.hidden) tick();
  }, 1000);
  document.addEventListener("visibilitychange", tick);
}
