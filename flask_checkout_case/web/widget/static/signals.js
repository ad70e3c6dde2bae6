// What hesitation looks like in a browser. Loaded only where the customer has agreed; tells which kind
// of field it was about, never what is in it, where the pointer is or which key was pressed.
const AT_ONCE = /idle|exit|rage|coupon|dismissed/, ONCE = /idle|exit|slow/;
const POLICY = "[data-checkout-case-policy],[rel~=privacy-policy],[rel~=terms-of-service]";
const BETWEEN = 20000, MANY = 4, AWAY = 5000, DWELL = 20000, DEAD = 1100;

const now = () => performance.now();
const field = ({ name, autocomplete, type }) =>
  (/coupon|promo|voucher/i.test(name) ? "coupon" : autocomplete || type).replace(/.* /, "");

function on(names, act, target = document) {
  for (const name of names.split(" ")) target.addEventListener(name, act, { passive: true, capture: true });
}

// `send` takes a body and returns nothing when the page has asked often enough.
export function observe({ token, idle, to }, send) {
  const page = Math.random().toString(36).slice(2, 12).padEnd(8, "0"), filled = new Map();
  let queue = [], clicks = [], number = 0, posted = -BETWEEN, due = Infinity, said = "";
  let timer, rest, dwell, wrong, stirred = 0, hidden = Infinity, coupon = -Infinity;

  const body = () => JSON.stringify({ token, page, signals: queue.splice(0, 8)
    .map(([kind, n, at, about]) => [kind, n, Math.round(now() - at), ...about]) });
  const beacon = () => {
    while (queue.length) navigator.sendBeacon(to, body());
  };
  const post = () => {
    due = Infinity;
    if (!queue.length) return;
    posted = now();
    const told = body();
    if (!send(told)) navigator.sendBeacon(to, told);
  };

  function tell(kind, about) {
    if (ONCE.test(kind) && said.includes(kind)) return;
    said += kind;
    queue.push([kind, number++, now(), about ? [field(about)] : []]);
    // The page may ask twice: what matters little goes along, or by the beacon at its end.
    if (!AT_ONCE.test(kind) && queue.length < MANY) return;
    const at = Math.max(now(), kind == "dismissed" ? 0 : posted + BETWEEN);
    if (at >= due) return;
    due = at;
    clearTimeout(timer);
    timer = setTimeout(post, at - now());
  }

  const active = () => {
    clearTimeout(rest);
    if (!document.hidden) rest = setTimeout(tell, idle * 1000, "idle");
  };
  active();
  on("pointermove pointerdown keydown scroll", active);

  on("click", ({ target, clientX, clientY, isTrusted }) => {
    const at = now(), before = stirred;
    if (!isTrusted) return;
    clicks = [...clicks, [at, clientX, clientY]]
      .filter(([time, x, y]) => at - time < 1000 && Math.hypot(x - clientX, y - clientY) < 30);
    if (clicks.length == 3) tell("rage");
    if (target.closest(POLICY)) tell("policy");
    const control = target.closest("button[type=button],[role=button]:not(a)");
    if (control && !control.disabled) setTimeout(() => before == stirred && tell("dead"), DEAD);
  });

  // One submit tells of each field that is wrong; it is one mistake.
  on("invalid", ({ target }) => {
    clearTimeout(wrong);
    wrong = setTimeout(tell, 0, "error", target);
  });
  on("change", ({ target }) => {
    filled.set(target, 1 + (filled.get(target) ?? 0));
    if (filled.get(target) == 3 && target.matches("input,textarea")) tell("reentry", target);
  });
  on("focusin", ({ target }) => {
    stirred = now();
    clearTimeout(dwell);
    if (!target.matches("input,textarea")) return;
    dwell = setTimeout(tell, DWELL, "dwell", target);
    if (field(target) == "coupon") coupon = stirred;
  });
  on("focusout", () => clearTimeout(dwell));
  on("scroll submit", () => (stirred = now()));
  on("mouseout", ({ clientY, relatedTarget }) => clientY <= 0 && !relatedTarget && tell("exit"));

  on("visibilitychange", () => {
    clearTimeout(dwell);
    if (document.hidden) {
      hidden = now();
      clearTimeout(rest);
      beacon();
    } else {
      if (now() - hidden > AWAY) tell(hidden - coupon < 10000 ? "coupon_away" : "away");
      active();
    }
  });
  // Going to another page is no looking elsewhere.
  on("pagehide", () => {
    hidden = Infinity;
    beacon();
  }, window);

  const ours = document.getElementById("checkout-case").parentNode;
  new MutationObserver((changes) => changes.every(({ target }) => ours.contains(target)) || (stirred = now()))
    .observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
  measure("event", { durationThreshold: 500 }, () => tell("slow"));
  measure("resource", {}, ({ name }) => name.endsWith(to) || (stirred = now()));
  if (performance.getEntriesByType("navigation")[0]?.type == "back_forward") tell("back");
  return tell;
}

function measure(type, options, act) {
  try {
    new PerformanceObserver((list) => list.getEntries().forEach(act)).observe({ type, ...options });
  } catch {
    // A browser that doesn't measure this.
  }
}
