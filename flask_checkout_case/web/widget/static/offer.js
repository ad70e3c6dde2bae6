// A quiet line beside the launcher: help for somebody who hasn't asked. It takes no focus and can be sent away.
const styles = `
#checkout-case-offer { box-sizing: border-box; position: fixed; inset-inline-end: 20px; display: flex; align-items: center;
  gap: 6px; max-inline-size: min(290px, 75vw); padding: 6px 6px 6px 16px; padding-inline: 16px 6px;
  border: 1px solid #94a3b8; border-radius: 14px; background: #fff; color: #0f172a;
  font: 500 15px/20px system-ui, sans-serif; box-shadow: 0 2px 8px #0f172a33; }
#checkout-case-offer.at-start { inset-inline: 20px auto; }
#checkout-case-offer:empty { display: none; }
#checkout-case-offer span { flex: 1; padding-block: 6px; text-wrap: balance; cursor: pointer; }
#checkout-case-offer button { all: unset; flex: none; inline-size: 32px; block-size: 32px; border-radius: 50%;
  font-size: 20px; line-height: 32px; text-align: center; cursor: pointer; }
#checkout-case-offer button:hover { background: #94a3b833; }
#checkout-case-offer button:focus-visible { outline: 3px solid var(--checkout-case-accent, #4f46e5); }
@media (prefers-color-scheme: dark) {
  #checkout-case-offer { border-color: #5f6a80; background: #1b1f2a; color: #e6e8ef; }
  #checkout-case-offer button:focus-visible { outline-color: var(--checkout-case-accent, #8b8cf8); }
}
@media (max-width: 480px) {
  #checkout-case-offer, #checkout-case-offer.at-start { position: static; max-inline-size: none; margin: 16px 16px 0; }
}
@media print { #checkout-case-offer { display: none; } }
`;
const sheet = new CSSStyleSheet();
sheet.replaceSync(styles);
const TYPING = 4000;
const inField = () => document.activeElement?.matches("input,textarea,select");
let line, waiting, typed = inField() ? performance.now() : -Infinity;

document.addEventListener("input", () => (typed = performance.now()), { passive: true, capture: true });

// Returns the line; what `told` offers is shown in it as soon as nobody is typing.
export function suggest(link, told, dodge, dismissed) {
  line ||= make(link);
  clearTimeout(waiting);
  const offer = told.hint ? null : told.offer, text = offer?.text ?? "";
  if (line.dataset.text == text && line.isConnected) return line;
  line.dataset.text = text;
  line.replaceChildren();
  if (!offer) return line;
  link.dataset.reason = offer.reason ?? "";
  show(link, text, dodge, dismissed);
  return line;
}

function make(link) {
  document.adoptedStyleSheets.push(sheet);
  const made = document.createElement("div");
  Object.assign(made, { id: "checkout-case-offer", className: link.className, dir: link.dir, lang: link.lang });
  made.setAttribute("role", "status");
  made.style.zIndex = link.dataset.layer;
  link.before(made);
  return made;
}

function show(link, text, dodge, dismissed) {
  const left = TYPING - (performance.now() - typed);
  if (left > 0 && inField()) {
    waiting = setTimeout(show, left + 50, link, text, dodge, dismissed);
    return;
  }
  const words = document.createElement("span"), close = document.createElement("button");
  words.textContent = text;
  words.addEventListener("click", () => link.click());
  close.type = "button";
  close.textContent = "×";
  close.setAttribute("aria-label", link.dataset.dismiss);
  close.addEventListener("click", () => {
    line.replaceChildren();
    link.focus();
    dismissed();
    dodge();
  });
  line.append(words, close);
  line.style.insetBlockEnd = `${link.offsetHeight + 30}px`;
  dodge();
}
