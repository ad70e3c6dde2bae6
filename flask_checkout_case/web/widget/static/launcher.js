// The closed widget: asks whether there is something to say, loads what it needs on demand.
{
  const link = document.getElementById("checkout-case"), WAIT = 900;
  const { state, module, offer, signals, layer } = link.dataset;
  let loading, asked = 0, panel, line, tell, frame;

  const declined = (entry) => /402|422/.test(entry.responseStatus);
  const load = () => (loading ||= import(module).catch((error) => {
    loading = null;
    throw error;
  }));

  const piece = (name, text) => {
    link.querySelector(name)?.remove();
    if (text) link.append(Object.assign(document.createElement(name), { textContent: text }));
  };

  // At most three a page, whatever they are for: their answers are alike.
  const ask = async (address, more) => {
    if (asked++ > 2) return {};
    try {
      const answer = await fetch(address, { keepalive: true, ...more });
      if (!answer.ok) return {};
      const told = await answer.json();
      piece("em", told.hint);
      piece("b", told.unread);
      if (told.hint) panel?.look();
      if (line || told.offer) line = (await import(offer)).suggest(link, told, dodge, () => tell?.("dismissed"));
      dodge();
      return told;
    } catch {
      return {}; // The link itself still works.
    }
  };

  // A decline's case may be written after its page: wait, ask again.
  const look = async (wait) => {
    const seen = localStorage.getItem("checkout-case-seen");
    const { hint, watch } = await ask(state + (seen ? "?seen=" + seen : ""));
    if (watch && !tell && !navigator.globalPrivacyControl) {
      tell = (await import(signals)).observe(watch, (body) => asked < 3 && ask(watch.to, { method: "POST", body }));
    }
    if (wait && !hint) setTimeout(look, wait, wait * 3);
  };

  // Never over the button that pays: step above it.
  const dodge = () => {
    const ours = line?.isConnected ? [link, line] : [link];
    let up = frame = 0;
    for (const one of ours) one.style.translate = "";
    if (getComputedStyle(link).position != "fixed") return;
    const { bottom, left, right } = link.getBoundingClientRect(), { top } = ours.at(-1).getBoundingClientRect();
    for (const button of document.querySelectorAll("button,[type=submit],[data-checkout-case-clear]")) {
      const own = button.getBoundingClientRect();
      if (!line?.contains(button) && own.width && own.left < right && own.right > left && own.top < bottom && own.bottom > top) {
        up = Math.max(up, bottom - own.top + 12);
      }
    }
    for (const one of ours) one.style.translate = `0 ${-up}px`;
  };
  const later = () => (frame ||= requestAnimationFrame(dodge));

  const open = async (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    try {
      panel ||= (await load()).make(link);
      panel.open();
      piece("em");
      piece("b");
      line?.remove();
    } catch {
      location.href = link.href;
    }
  };

  link.style.zIndex = layer;
  link.setAttribute("role", "button");
  link.setAttribute("aria-haspopup", "dialog");
  link.setAttribute("aria-expanded", "false");
  link.addEventListener("click", open);
  link.addEventListener("keydown", (event) => event.key == " " && open(event));
  for (const hint of ["pointerenter", "focus"]) {
    link.addEventListener(hint, () => load().catch(() => {}), { once: true, passive: true });
  }
  addEventListener("scroll", later, { passive: true });
  addEventListener("resize", later);
  // A checkout that pays by fetch says 402 too.
  document.addEventListener("checkout-case:look", () => (panel?.look(), look()));
  try {
    new PerformanceObserver((list) => {
      if (list.getEntries().some(declined)) {
        panel?.look();
        look(WAIT);
      }
    }).observe({ type: "resource" });
  } catch {
    // An old browser learns it with the next page.
  }
  look(performance.getEntriesByType("navigation").some((page) => page.redirectCount || declined(page)) && WAIT);
}
