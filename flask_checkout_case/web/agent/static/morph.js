// Turns one element into another in place, so that focus, scroll, selection, open menus and typed
// text stay. Children are matched by data-key or id, the others by their order.

const CLIENT_STATE = new Set(["open", "checked"]);

const keyOf = (node) => (node.nodeType === 1 ? node.dataset.key || node.id || null : null);

const alike = (one, other) =>
  one.nodeType === other.nodeType && one.nodeName === other.nodeName && !keyOf(one);

/** keepSticky: leave elements marked data-sticky although the new version has none. */
export function morph(have, want, { keepSticky = false } = {}) {
  const focus = rememberFocus(have);
  change(have, want, keepSticky);
  focus();
}

function change(have, want, keepSticky) {
  if (have.nodeType !== 1) {
    if (have.data !== want.data) have.data = want.data;
    return;
  }
  if (have.hasAttribute("data-keep")) return;
  for (const { name, value } of want.attributes) {
    if (!CLIENT_STATE.has(name) && have.getAttribute(name) !== value) have.setAttribute(name, value);
  }
  for (const { name } of [...have.attributes]) {
    if (!CLIENT_STATE.has(name) && !want.hasAttribute(name)) have.removeAttribute(name);
  }
  if (have.nodeName !== "TEXTAREA") children(have, want, keepSticky);
}

function children(parent, want, keepSticky) {
  const wanted = new Set([...want.children].map(keyOf));
  const keyed = new Map();
  for (const child of [...parent.children]) {
    const key = keyOf(child);
    if (key === null) continue;
    if (wanted.has(key)) keyed.set(key, child);
    else if (!(keepSticky && child.hasAttribute("data-sticky"))) child.remove();
  }
  let here = parent.firstChild;
  for (const child of want.childNodes) {
    const key = keyOf(child);
    let match = key === null ? here : keyed.get(key);
    if (key === null) while (match && !alike(match, child)) match = match.nextSibling;
    if (!match) {
      parent.insertBefore(document.importNode(child, true), here);
      continue;
    }
    if (match === here) here = here.nextSibling;
    else move(parent, match, here);
    change(match, child, keepSticky);
  }
  while (here) {
    const next = here.nextSibling;
    if (!(keepSticky && here.nodeType === 1 && here.hasAttribute("data-sticky"))) here.remove();
    here = next;
  }
}

function move(parent, child, before) {
  if (parent.moveBefore) parent.moveBefore(child, before);
  else parent.insertBefore(child, before);
}

// A node that was moved loses the focus; one that is gone gives it to what took its place.
function rememberFocus(root) {
  const active = document.activeElement;
  if (!root.contains(active) || active === root) return () => {};
  const item = active.closest("[data-key]");
  const list = item?.parentElement;
  const place = list ? [...list.children].indexOf(item) : -1;
  const { selectionStart: start, selectionEnd: end } = active;
  return () => {
    if (document.activeElement === active) return;
    if (active.isConnected) {
      active.focus({ preventScroll: true });
      if (typeof start === "number") active.setSelectionRange(start, end);
    } else if (list?.isConnected && place >= 0) {
      const next = list.children[Math.min(place, list.children.length - 1)];
      next?.querySelector("a, button")?.focus({ preventScroll: true });
    }
  };
}
