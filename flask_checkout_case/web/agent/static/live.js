// Asks the server for what has changed, and swaps it in. XMLHttpRequest parses the answer itself
// ("document"): no string of HTML ever meets a sink of Trusted Types, and no policy is needed.

import { tick } from "./clock.js";
import { morph } from "./morph.js";

const PARTS = ["views", "desk", "queue", "case", "teams", "live"];
const LONGEST_WAIT = 30000;
// A page that nobody looks at asks too, so that its agent doesn't count as gone.
const WHILE_HIDDEN = 60000;

let asking = 0;
let wait = 0;
let timer = 0;

/** Returns {status, page, etag}; rejects when there is no connection. */
export function load(method, address, { etag, body } = {}) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(method, address);
    request.responseType = "document";
    // A 304 names no type: it would be read as XML, whose error page breaks the style policy.
    request.overrideMimeType("text/html");
    request.timeout = 20000;
    request.setRequestHeader("Accept", "text/html");
    if (document.hidden) request.setRequestHeader("X-Checkout-Case-Tab", "hidden");
    if (etag) request.setRequestHeader("If-None-Match", `"${etag}"`);
    request.onload = () => resolve({ status: request.status, page: request.response });
    request.onerror = request.ontimeout = () => reject(new Error("no connection"));
    request.send(body ?? null);
  });
}

/** Puts the parts of a page that are here too in their place. */
export function show(page, options) {
  for (const id of PARTS) {
    const have = document.getElementById(id);
    const want = page.getElementById(id);
    if (have && want) morph(have, want, options);
  }
  tick();
}

/** What is on its way was made before this moment: forget it, and ask again soon. */
export function restart() {
  asking += 1;
  plan(every());
}

const root = () => document.querySelector("[data-live]");
const every = () => (document.hidden ? WHILE_HIDDEN : Number(root().dataset.every));

function plan(after) {
  clearTimeout(timer);
  wait = after;
  timer = setTimeout(ask, after * (0.85 + Math.random() * 0.3));
}

async function ask() {
  const mine = ++asking;
  let answer = null;
  try {
    answer = await load("GET", root().dataset.live, { etag: root().dataset.etag });
  } catch {
    answer = { status: 0 };
  }
  if (mine !== asking) return;
  const { status, page } = answer;
  if (status === 200 && page) show(page, { keepSticky: true });
  if (status === 200 || status === 304) {
    say("fresh");
    plan(every());
  } else if (status === 401 || status === 403 || status === 404) {
    say("gone");
  } else {
    say("stale");
    plan(Math.max(every(), Math.min(wait * 2, LONGEST_WAIT)));
  }
}

let last = new Date();

function say(state) {
  const line = document.querySelector("[data-live-status]");
  if (!line) return;
  if (state === "fresh") last = new Date();
  const text = line.querySelector("[data-live-text]");
  const time = last.toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" });
  const told = line.dataset[state].replace("{}", time);
  line.hidden = false;
  line.classList.toggle("is-stale", state !== "fresh");
  if (text.textContent !== told) text.textContent = told;
}

export function startLive() {
  const part = root();
  if (!part || "paused" in part.dataset) return;
  say("fresh");
  plan(every());
  document.addEventListener("visibilitychange", () => {
    plan(every());
    if (!document.hidden) ask();
  });
  addEventListener("online", () => ask());
}
