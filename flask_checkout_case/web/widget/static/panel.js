// The open widget. Built with textContent alone, inside a shadow root, from texts the server sends.

const FAST = 2000, SLOW = 20000, WARM = 4000, WARM_FOR = 600000, WORST = 30000;
const SEEN = "checkout-case-seen", DRAFT = "checkout-case-draft";
const HEADER = "X-Checkout-Case";

const styles = `
:host { all: initial; position: relative; z-index: inherit; }
* { box-sizing: border-box; }
.panel {
  --accent: var(--checkout-case-accent, #4f46e5); --on: var(--checkout-case-accent-ink, #fff);
  --bg: #fff; --ink: #0f172a; --soft: #475569; --line: #e2e8f0; --edge: #8793a6; --tint: #f1f5f9;
  --warn: #fffbeb; --warn-line: #f4d58d; --warn-ink: #7c3a06; --bad: #b42318; --good: #15803d;
  position: fixed; inset-block-end: 20px; inset-inline-end: 20px; z-index: inherit;
  display: flex; flex-direction: column; inline-size: min(392px, calc(100vw - 40px));
  block-size: min(700px, calc(100dvh - 40px)); overflow: hidden; border: 1px solid var(--line);
  border-radius: 16px; background: var(--bg); color: var(--ink); box-shadow: 0 12px 40px #0f172a2e;
  font: 400 16px/1.5 system-ui, "Segoe UI", Roboto, sans-serif; color-scheme: light dark;
  animation: rise .18s cubic-bezier(.2, .8, .3, 1); text-align: start;
}
.panel.start { inset-inline: 20px auto; }
.panel[hidden] { display: none; }
@keyframes rise { from { transform: translateY(24px); } }
.top { display: flex; gap: 12px; align-items: flex-start; padding-block: 18px 14px;
  padding-inline: 20px 12px; border-block-end: 1px solid var(--line); }
.top div { flex: 1; min-inline-size: 0; }
h2 { margin: 0; font-size: 18px; line-height: 1.35; font-weight: 650; letter-spacing: -.01em; outline: 0; }
h3 { margin: 0; font-size: 16px; line-height: 1.4; font-weight: 650; }
p { margin: 0; }
.presence { min-block-size: 21px; margin-block-start: 2px; color: var(--soft); font-size: 14px; }
button { font: inherit; color: inherit; cursor: pointer; }
.contact { font-size: 14px; font-weight: 600; }
.contact:empty { display: none; }
.close { flex: none; inline-size: 40px; block-size: 40px; display: grid; place-items: center; border: 0;
  border-radius: 10px; background: none; color: var(--soft); }
.close:hover { background: var(--tint); color: var(--ink); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
h2:focus-visible { outline: 0; }
.body { flex: 1; overflow-y: auto; overscroll-behavior: contain; padding: 16px 20px; display: flex;
  flex-direction: column; gap: 16px; }
.body:focus-visible { outline-offset: -3px; }
.lost { padding: 8px 20px; background: var(--warn); color: var(--warn-ink); font-size: 14px;
  border-block-end: 1px solid var(--warn-line); }
.failure { flex: none; padding: 14px 16px; border: 1px solid var(--warn-line); border-radius: 12px;
  background: var(--warn); color: var(--warn-ink); }
.failure p { margin-block-start: 4px; font-size: 15px; }
.failure ul { margin: 12px 0 0; padding: 0; list-style: none; display: grid; gap: 8px; font-size: 15px; }
.failure li { display: flex; gap: 8px; align-items: baseline; }
.failure svg { flex: none; align-self: center; }
.failure a { color: inherit; font-weight: 600; text-underline-offset: 3px; }
[dir=rtl] .turn { transform: scaleX(-1); }
ol { margin: 0; padding: 0; list-style: none; display: flex; flex-direction: column; gap: 12px; }
.line { max-inline-size: 86%; align-self: flex-start; }
.line small { display: block; margin-block-end: 4px; color: var(--soft); font-size: 13px; }
time { unicode-bidi: isolate; }
.line .text { padding: 9px 13px; border-radius: 14px; border-end-start-radius: 4px; background: var(--tint);
  white-space: pre-wrap; overflow-wrap: anywhere; }
a { color: var(--accent); text-underline-offset: 3px; }
.line a { color: inherit; }
.mine { align-self: flex-end; }
.mine small { text-align: end; }
.mine .text { background: var(--accent); color: var(--on); border-end-start-radius: 14px;
  border-end-end-radius: 4px; }
.line .state { margin-block-start: 4px; color: var(--soft); font-size: 13px; text-align: end; }
.line .state.bad { color: var(--bad); }
.state button { margin-inline-start: 6px; padding: 2px 4px; border: 0; background: none; font-weight: 600;
  text-decoration: underline; text-underline-offset: 3px; }
.status { display: flex; gap: 8px; align-items: center; color: var(--soft); font-size: 14px; }
.status svg { flex: none; }
.status.solved { color: var(--good); font-weight: 600; }
form, .bar { padding: 12px 16px 16px; border-block-start: 1px solid var(--line); display: grid; gap: 12px; }
form.first { padding: 0; border: 0; gap: 16px; }
.bar { padding-inline: 20px; }
fieldset { margin: 0; padding: 0; border: 0; min-inline-size: 0; }
legend, .label { padding: 0; margin-block-end: 8px; font-size: 14px; font-weight: 600; display: block; }
.label span { color: var(--soft); font-weight: 400; }
.chips { display: flex; flex-wrap: wrap; gap: 8px; }
.chip { position: relative; }
.chip input { position: absolute; inset: 0; inline-size: 100%; block-size: 100%; margin: 0; opacity: 0;
  cursor: pointer; }
.chip span { display: block; padding: 6px 14px; border: 1px solid var(--edge); border-radius: 18px;
  font-size: 15px; }
.chip input:checked + span { border-color: var(--accent); background: var(--accent); color: var(--on); }
.chip input:focus-visible + span { outline: 2px solid var(--accent); outline-offset: 2px; }
.chip:hover span { border-color: var(--accent); }
textarea, input[type=email], input[type=tel] { inline-size: 100%; margin: 0; padding: 10px 12px; border: 1px solid var(--edge);
  border-radius: 10px; background: var(--bg); color: var(--ink); font: inherit; }
textarea { display: block; resize: none; min-block-size: 46px; max-block-size: 160px; field-sizing: content; }
.first textarea { min-block-size: 96px; }
::placeholder { color: var(--soft); opacity: 1; }
textarea:focus, input[type=email]:focus, input[type=tel]:focus { outline: 2px solid var(--accent); outline-offset: -1px; }
.why { margin-block-start: 6px; color: var(--soft); font-size: 13px; }
.why:first-child { margin: 0; }
.times .chips { display: grid; grid-template-columns: repeat(auto-fill, minmax(152px, 1fr)); max-block-size: 178px;
  overflow-y: auto; padding: 3px; margin: -3px; }
.times .chip span { padding-inline: 6px; font-size: 14px; text-align: center; font-variant-numeric: tabular-nums; }
.call { flex: none; display: flex; flex-wrap: wrap; gap: 2px 10px; padding: 12px 16px; border: 1px solid var(--line);
  border-radius: 12px; font-size: 15px; }
.call > svg { flex: none; margin-block-start: 3px; color: var(--accent); }
.call > div { flex: 1; min-inline-size: 0; }
.call span { display: block; color: var(--soft); font-size: 14px; }
.call nav { display: flex; flex-wrap: wrap; gap: 4px 16px; inline-size: 100%; padding-inline-start: 28px; }
.plain { min-block-size: 32px; padding: 0; border: 0; background: none; color: var(--accent); font-weight: 600;
  text-decoration: underline; text-underline-offset: 3px; text-align: start; }
.want { display: flex; gap: 8px; align-items: center; align-self: flex-start; }
.bar.row { display: flex; align-items: center; gap: 20px; }
.bar.row .send { flex: none; }
.row { display: flex; gap: 8px; align-items: flex-end; }
.row > :first-child { flex: 1; min-inline-size: 0; }
.send { min-block-size: 46px; padding: 0 20px; border: 0; border-radius: 10px; background: var(--accent);
  color: var(--on); font-weight: 600; }
.send:hover { background: color-mix(in srgb, var(--accent), #000 14%); }
.error:empty { display: none; }
.error { margin-block-start: 6px; color: var(--bad); font-size: 14px; font-weight: 600; }
.error:first-child { margin: 0; }
.wait i { display: block; block-size: 14px; margin-block-end: 12px; border-radius: 7px; background: var(--tint); }
.wait i:nth-child(2) { inline-size: 70%; }
.hidden { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%);
  white-space: nowrap; }
@media (max-width: 480px) {
  .panel, .panel.start { inset-inline: 0; inset-block-end: 0; inline-size: auto;
    block-size: min(640px, 86dvh); border-radius: 18px 18px 0 0;
    border-inline: 0; border-block-end: 0; box-shadow: 0 -8px 40px #0f172a33;
    padding-block-end: env(safe-area-inset-bottom); }
}
@media (prefers-color-scheme: dark) {
  .panel { --accent: var(--checkout-case-accent, #8b8cf8); --on: var(--checkout-case-accent-ink, #10122b);
    --bg: #12151d; --ink: #e9ebf2; --soft: #a8b0c2; --line: #2a303e; --edge: #5f6a80; --tint: #212734;
    --warn: #2b2210; --warn-line: #6b5317; --warn-ink: #fcd98b; --bad: #ff9d92; --good: #6ee7a0;
    box-shadow: 0 12px 40px #0009; }
}
@media (prefers-reduced-motion) { .panel { animation: none; } }
@media print { .panel { display: none; } }
`;

const ICONS = {
  close: "M5 5l10 10M15 5L5 15",
  next: "M7 4l6 6-6 6",
  dot: "M10 7a3 3 0 1 0 .01 0z",
  sent: "M4 10.5l4 4 8-9",
  edit: "M4 16l.8-3.4L13 4.4l2.6 2.6-8.2 8.2zM11.4 6l2.6 2.6",
  phone: "M4 3.2h3l1.4 3.6-1.9 1.4a10 10 0 0 0 5.3 5.3l1.4-1.9 3.6 1.4v3a1.2 1.2 0 0 1-1.3 1.2A13.3 13.3 0 0 1 2.8 4.5 1.2 1.2 0 0 1 4 3.2z",
};

function h(name, props = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(props)) {
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (key in node) node[key] = value;
    else node.setAttribute(key, value);
  }
  node.append(...children.filter((child) => child != null && child !== false));
  return node;
}

function icon(name, size = 18, turns = false) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  const given = { viewBox: "0 0 20 20", width: size, height: size, "aria-hidden": true, class: turns ? "turn" : "" };
  for (const [key, value] of Object.entries(given)) svg.setAttribute(key, value);
  const drawn = { d: ICONS[name], fill: "none", stroke: "currentColor", "stroke-width": 1.8,
    "stroke-linecap": "round", "stroke-linejoin": "round" };
  for (const [key, value] of Object.entries(drawn)) path.setAttribute(key, value);
  svg.append(path);
  return svg;
}

// An agent's address becomes a link; nothing else in a message is more than text.
function linked(text) {
  return text.split(/(https?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)])/).map((part, index) => {
    if (index % 2 == 0 || !URL.canParse?.(part)) return part;
    return h("a", { href: part, target: "_blank", rel: "noopener noreferrer" }, part);
  });
}

const newKey = () => Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");

function keep(store, name, value) {
  try {
    if (value === undefined) return store.getItem(name);
    if (value) store.setItem(name, value);
    else store.removeItem(name);
  } catch {
    // No storage here: only the comfort is lost.
  }
  return null;
}

export function make(link) {
  const address = (name) => link.dataset.panel.replace(/panel$/, name);
  const host = h("div", {});
  const root = host.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(styles);
  root.adoptedStyleSheets = [sheet];
  host.style.position = "relative";
  host.style.zIndex = link.dataset.layer;

  let t = link.dataset;
  let data, token, timer, shown = false, asking = false, delay = FAST, errors = 0, warmUntil = 0;
  const lines = new Map(), pending = new Map();

  // --- the frame ---------------------------------------------------------------------------------
  const heading = h("h2", { id: "title", tabIndex: -1 }, link.querySelector("span").textContent);
  const presence = h("p", { className: "presence" });
  const contact = h("p", { className: "contact", dir: "auto" });
  const closer = h("button", { type: "button", className: "close", onclick: () => close() }, icon("close", 20));
  const lost = h("p", { className: "lost", role: "status", hidden: true });
  const body = h("div", { className: "body" });
  const log = h("div", { className: "hidden", role: "log" });
  const foot = h("div", {});
  const frame = h("div", { className: "panel", role: "dialog", "aria-labelledby": "title", hidden: true },
    h("div", { className: "top" }, h("div", {}, heading, presence, contact), closer), lost, body, foot, log);
  frame.dir = link.dir;
  frame.lang = link.lang;
  if (link.className == "at-start") frame.classList.add("start");
  frame.addEventListener("keydown", (event) => {
    if (event.key == "Escape") {
      event.stopPropagation();
      close();
    }
  });
  closer.setAttribute("aria-label", t.close);
  root.append(frame);
  link.after(host);

  // --- open and close ----------------------------------------------------------------------------
  function open() {
    shown = true;
    frame.hidden = false;
    link.setAttribute("aria-expanded", "true");
    heading.focus();
    if (data) schedule(0);
    else load();
  }

  function close() {
    shown = false;
    clearTimeout(timer);
    frame.hidden = true;
    link.setAttribute("aria-expanded", "false");
    link.focus();
  }

  async function load() {
    if (!data) {
      body.setAttribute("aria-busy", "true");
      body.replaceChildren(h("div", { className: "wait" }, h("i"), h("i"), h("i")));
    }
    try {
      const answer = await fetch(link.dataset.panel, { headers: { Accept: "application/json",
        "X-Time-Zone": Intl.DateTimeFormat().resolvedOptions().timeZone || "" } });
      if (!answer.ok) throw new Error(answer.status);
      const first = !data;
      data = await answer.json();
      t = data.texts;
      frame.dir = data.dir;
      frame.lang = data.lang;
      heading.textContent = t.title;
      presence.textContent = data.presence;
      closer.setAttribute("aria-label", t.close);
      lost.textContent = t.lost;
      log.setAttribute("aria-label", t.talk);
      take(data, first);
      draw();
      schedule(FAST);
    } catch {
      if (data) return;
      body.replaceChildren(h("p", { role: "alert" }, t.failed),
        h("button", { type: "button", className: "send", onclick: () => (heading.focus(), load()) }, t.again));
    } finally {
      body.removeAttribute("aria-busy");
    }
  }

  // --- news --------------------------------------------------------------------------------------
  function take(news, quietly) {
    let fresh = false;
    for (const line of news.lines) {
      if (lines.has(line.id)) continue;
      lines.set(line.id, line);
      fresh = true;
      if (line.key) pending.delete(line.key);
      if (!line.mine && !quietly) {
        log.append(h("p", {}, t.new.replace("%(name)s", line.name || t.team), ": ", line.text));
      }
    }
    contact.textContent = news.contact || "";
    const changed = fresh || JSON.stringify([data.failure, data.status, data.call]) != JSON.stringify([news.failure, news.status, news.call]);
    Object.assign(data, { cursor: news.cursor, live: news.live, mark: news.mark, failure: news.failure, status: news.status,
      ended: news.ended, call: news.call });
    if (data.cursor) keep(localStorage, SEEN, String(data.cursor));
    if (fresh) {
      warmUntil = Date.now() + WARM_FOR;
      delay = FAST;
    }
    return changed;
  }

  function schedule(wait) {
    clearTimeout(timer);
    if (!shown || document.hidden || !data.live) return;
    timer = setTimeout(poll, wait * (0.85 + Math.random() * 0.3));
  }

  async function poll() {
    try {
      const answer = await fetch(`${address("poll")}?after=${data.cursor}`, {
        headers: { Accept: "application/json", "If-None-Match": `"${data.mark}"` }, cache: "no-store",
      });
      if (answer.status == 200) {
        if (take(await answer.json(), false)) draw();
      } else if (answer.status != 304) throw new Error(answer.status);
      errors = 0;
      tellLost(false);
      delay = Math.min(delay * 1.4, Date.now() < warmUntil ? WARM : SLOW);
      schedule(delay);
    } catch {
      // One miss is no news; from the second on the reader is told that what they see may be old.
      tellLost(++errors > 1);
      schedule(Math.min(WORST, FAST * 2 ** errors));
    }
  }

  function wake() {
    if (shown && data && !document.hidden) {
      delay = FAST;
      schedule(0);
    }
  }
  document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : wake()));
  addEventListener("online", wake);

  const isAtEnd = () => body.scrollHeight - body.scrollTop - body.clientHeight < 80;
  const toEnd = () => (body.scrollTop = body.scrollHeight);

  // Saying that the connection is lost takes room: who reads the newest line goes on reading it.
  function tellLost(is) {
    const end = isAtEnd();
    lost.hidden = !is;
    if (end) toEnd();
  }

  // --- drawing -----------------------------------------------------------------------------------
  const time = (at) => {
    const date = new Date(at), today = date.toDateString() == new Date().toDateString();
    return date.toLocaleString(data.lang, today ? { timeStyle: "short" } : { dateStyle: "medium", timeStyle: "short" });
  };

  function failure() {
    if (!data.failure) return null;
    const { title, text, actions } = data.failure;
    return h("section", { className: "failure" }, h("h3", {}, title), h("p", {}, text),
      h("ul", { "aria-label": t.next }, ...actions.map((action) => h("li", {}, icon("next", 14, true),
        action.url ? h("a", { href: action.url }, action.text) : action.text))));
  }

  function bubble(line) {
    const who = line.mine ? t.you : line.name || t.team;
    const text = h("div", { className: "text", dir: "auto" }, ...(line.mine ? [line.text] : linked(line.text)));
    const made = h("li", { className: line.mine ? "line mine" : "line" },
      h("small", {}, h("bdi", {}, who), " · ", h("time", { dateTime: line.at }, time(line.at))), text);
    if (line.state == "sending") made.append(h("div", { className: "state" }, t.sending));
    if (line.state == "failed") {
      made.append(h("div", { className: "state bad" }, line.why || t.notSent,
        h("button", { type: "button", onclick: () => deliver(line) }, t.again)));
    }
    return made;
  }

  function draw() {
    if (asking) return;
    const talk = [...lines.values(), ...pending.values()];
    const first = !talk.length;
    const end = isAtEnd();
    const had = body.querySelectorAll(".line").length;
    if (first) {
      if (!body.querySelector("form")) body.replaceChildren();
      for (const old of body.querySelectorAll(".failure, .call, .want")) old.remove();
      body.prepend(...[failure(), promised()].filter(Boolean));
      if (!body.querySelector("form")) body.append(composer(true));
      body.append(...wanted());
      body.removeAttribute("tabindex");
      return;
    }
    const status = data.status && !pending.size && h("p", { className: `status ${data.status.kind}` },
      icon(data.status.kind == "answered" ? "dot" : "sent", 16), data.status.text);
    const list = h("ol", { "aria-label": t.talk }, ...talk.map(bubble));
    const inside = root.activeElement && body.contains(root.activeElement);
    body.replaceChildren(...[failure(), list, status, promised(), ...wanted()].filter(Boolean));
    body.tabIndex = 0;
    body.setAttribute("role", "region");
    body.setAttribute("aria-label", t.talk);
    if (!foot.querySelector("form")) foot.replaceChildren(composer(false));
    foot.querySelector("textarea").placeholder = data.ended ? t.reopen : t.more;
    if (inside) foot.querySelector("textarea").focus();
    if (end || talk.length > had) toEnd();
  }

  function composer(first, back = {}) {
    const box = h("textarea", { name: "text", rows: 1, maxLength: data.limit, dir: "auto",
      placeholder: first ? t.ask : t.more, value: back.text || keep(sessionStorage, DRAFT) || "" });
    const error = h("p", { className: "error", role: "alert" }, back.why || "");
    const mail = first && data.askEmail && h("input", { type: "email", name: "email", autocomplete: "email",
      id: "email", maxLength: 320, value: back.email || "", dir: "auto", "aria-describedby": "why" });
    const form = h("form", { className: first ? "first" : "", noValidate: true });
    const send = h("button", { className: "send" }, t.send);
    box.addEventListener("input", () => {
      keep(sessionStorage, DRAFT, box.value);
      error.textContent = "";
      delay = FAST;
    });
    box.addEventListener("keydown", (event) => {
      const plain = !event.shiftKey && !event.isComposing && matchMedia("(pointer: fine)").matches;
      if (event.key == "Enter" && (event.ctrlKey || event.metaKey || (plain && !first))) {
        event.preventDefault();
        form.requestSubmit();
      }
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (!box.value.trim()) {
        error.textContent = t.empty;
        box.focus();
        return;
      }
      const picked = form.querySelector("input:checked");
      const line = { key: newKey(), mine: true, text: box.value.trim(), at: new Date().toISOString(),
        reason: picked ? picked.value : "", email: mail ? mail.value : "" };
      box.value = "";
      keep(sessionStorage, DRAFT, "");
      deliver(line);
    });
    if (!first) {
      box.setAttribute("aria-label", t.message);
      form.append(error, h("div", { className: "row" }, box, send));
      return form;
    }
    box.id = "message";
    const chips = data.reasons.map(({ value, label, picked }) => h("label", { className: "chip" },
      h("input", { type: "radio", name: "reason", value, checked: value == (back.key ? back.reason : link.dataset.reason || (picked && value)) }), h("span", {}, label)));
    form.append(
      h("fieldset", {}, h("legend", {}, t.about), h("div", { className: "chips" }, ...chips)),
      h("div", {}, h("label", { className: "label", htmlFor: "message" }, t.message), box, error));
    if (mail) {
      form.append(h("div", {}, h("label", { className: "label", htmlFor: "email" }, t.email, " ",
        h("span", {}, `(${t.optional})`)), mail, h("p", { className: "why", id: "why" }, t.emailWhy)));
      if (back.wrong == "email") mail.after(error);
    }
    form.id = "first";
    send.setAttribute("form", "first");
    foot.replaceChildren(h("div", { className: "bar" }, send));
    return form;
  }

  // --- calls -------------------------------------------------------------------------------------
  const wanted = () => [
    data.change && h("a", { className: "plain want", href: data.change }, icon("edit"), t.change),
    data.offer && !data.call && h("button", { type: "button", className: "plain want", onclick: want }, icon("phone"), t.call),
  ].filter(Boolean);

  function promised() {
    if (!data.call) return null;
    const { title, when, zone, phone } = data.call;
    return h("section", { className: "call" }, icon("phone", 18), h("div", {}, h("h3", {}, title), when,
      h("span", {}, zone), h("bdi", { dir: "ltr" }, phone)),
      h("nav", {}, data.offer && h("button", { type: "button", className: "plain", onclick: want }, t.callMove),
        h("button", { type: "button", className: "plain", onclick: async () => {
          if (!await call({ cancel: true })) log.append(h("p", {}, t.callOff));
          heading.focus();
        } }, t.callCancel)));
  }

  async function want() {
    try {
      const { make } = await import(data.callModule);
      asking = true;
      const [form, bar] = make({ h, data, t, back: leave, send: async (wish) => {
        const wrong = await call({ ...wish, key: newKey() });
        // A time that has gone: those that are left are asked for.
        if (wrong?.field == "slot") await load();
        if (wrong) return { ...wrong, offer: data.offer };
        log.append(h("p", {}, `${data.call.title}: ${data.call.when}`));
        leave();
      } });
      body.replaceChildren(form);
      foot.replaceChildren(bar);
      body.scrollTop = 0;
      form.querySelector("input").focus();
    } catch {
      location.href = link.href + "#call";
    }
  }

  function leave() {
    asking = false;
    foot.replaceChildren();
    body.replaceChildren();
    draw();
    heading.focus();
  }

  // Returns what is wrong with it, if anything.
  async function call(wish) {
    try {
      const answer = await post("callback", { ...wish, after: data.cursor });
      const told = await answer.json();
      if (!answer.ok) return told.error;
      asking &&= !told.call;
      take(told, true);
      draw();
      schedule(FAST);
    } catch {
      return { message: t.notSent };
    }
  }

  // --- sending -----------------------------------------------------------------------------------
  async function deliver(line) {
    line.state = "sending";
    pending.set(line.key, line);
    draw();
    toEnd();
    foot.querySelector("textarea").focus();
    try {
      const { text, key, reason, email } = line;
      const answer = await post("messages", { text, key, reason, email, after: data.cursor });
      const told = await answer.json();
      if (!answer.ok) {
        line.why = told.error.message;
        line.wrong = told.error.field;
        throw new Error(told.error.code);
      }
      take(told, false);
      pending.delete(line.key);
      log.append(h("p", {}, told.status.text));
    } catch {
      line.state = "failed";
      if (line.wrong && !lines.size) return correct(line);
    }
    draw();
    schedule(FAST);
  }

  // The form comes back as it was, with what is wrong said at it.
  function correct(line) {
    pending.delete(line.key);
    body.replaceChildren(...[failure(), composer(true, line)].filter(Boolean));
    (body.querySelector(`[name=${line.wrong}]`) || body.querySelector("textarea")).focus();
  }

  async function post(name, given, again) {
    if (!token) token = (await (await fetch(address("token"), { cache: "no-store" })).json()).token;
    const answer = await fetch(address(name), {
      method: "POST",
      headers: { "Content-Type": "application/json", [HEADER]: token },
      body: JSON.stringify(given),
    });
    if (answer.status != 403 || again) return answer;
    token = null;
    return post(name, given, true);
  }

  return { open, close, look: () => shown && load() };
}
