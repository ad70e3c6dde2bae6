// Menus are <details>: here they close when one leaves them.

const menus = () => document.querySelectorAll("details[data-menu][open]");

export function closeMenus(except) {
  for (const menu of menus()) if (menu !== except) menu.open = false;
}

export function startMenus() {
  document.addEventListener("click", (event) => closeMenus(event.target.closest("details[data-menu]")));
  document.addEventListener("focusin", (event) => {
    const menu = event.target.closest("details[data-menu]");
    if (menu || event.target.closest("a, button, input, textarea, summary")) closeMenus(menu);
  });
  document.addEventListener("keydown", (event) => {
    const [menu] = menus();
    if (!menu) return;
    if (event.key === "Escape") {
      menu.open = false;
      menu.querySelector("summary").focus();
      event.preventDefault();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      const items = [...menu.querySelectorAll(".menu-box button.pick")];
      if (!items.length) return;
      const at = items.indexOf(document.activeElement);
      const next = event.key === "ArrowDown" ? at + 1 : Math.max(at, 0) - 1;
      items.at(next % items.length).focus();
      event.preventDefault();
    }
  });
}
