// The closed widget: asks whether there is something to say, loads the panel on demand.
{
  const link = document.getElementById("checkout-case");
  const { state, module, layer } = link.dataset, WAIT = 900;
  let loading, asked = 0, panel;

  const declined = (entry) => /402|422/.test(entry.responseStatus);
  const load = () => (loading ||= import(module).catch((error) => {
    loading = null;
    throw error;
  }));

  const piece = (name, text) => {
    link.querySelector(name)?.remove();
    if (text) link.append(Object.assign(document.createElement(name), { textContent: text }));
  };

  // At most three a page. A decline's case may be written after its page: wait, ask again.
  const look = async (wait) => {
    if (asked++ > 2) return;
    try {
      const seen = localStorage.getItem("checkout-case-seen");
      const answer = await fetch(state + (seen ? "?seen=" + seen : ""), { keepalive: true });
      if (!answer.ok) return;
      const { hint, unread } = await answer.json();
      piece("em", hint);
      piece("b", unread);
      dodge();
      if (hint) panel?.look();
      if (wait && !hint) setTimeout(look, wait, wait * 3);
    } catch {
      // The link itself still works.
    }
  };

  // Never over the button that pays: step above it.
  const dodge = () => {
    let up = 0;
    if (getComputedStyle(link).position == "fixed") {
      // Offsets leave the transform out.
      const bubble = link.querySelector("em");
      const right = link.offsetLeft + link.offsetWidth, bottom = link.offsetTop + link.offsetHeight;
      const left = link.offsetLeft + Math.min(0, bubble?.offsetLeft ?? 0);
      const top = link.offsetTop + Math.min(0, bubble?.offsetTop ?? 0);
      for (const button of document.querySelectorAll("button,[type=submit],[data-checkout-case-clear]")) {
        const own = button.getBoundingClientRect();
        if (own.width && own.left < right && own.right > left && own.top < bottom && own.bottom > top) {
          up = Math.max(up, bottom - own.top + 12);
        }
      }
    }
    link.style.transform = up ? `translateY(${-up}px)` : "";
  };
  let frame;
  const later = () => (frame ||= requestAnimationFrame(() => {
    frame = 0;
    dodge();
  }));

  const open = async (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    try {
      panel ||= (await load()).make(link);
      panel.open();
      piece("em");
      piece("b");
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
