// Single keys for those who work here all day. They can be switched off, and never fire while
// somebody types.

import { choose } from "./composer.js";

const SWITCH = "checkout-case-shortcuts";
const QUEUE = "checkout-case-queue";

const isOn = () => localStorage.getItem(SWITCH) !== "off";
const rows = () => [...document.querySelectorAll(".row-link")];
const help = () => document.getElementById("help");

function step(by) {
  const links = rows();
  if (!links.length) return false;
  const at = links.indexOf(document.activeElement);
  const next = at < 0 ? (by > 0 ? 0 : links.length - 1) : at + by;
  links[Math.max(0, Math.min(next, links.length - 1))].focus();
  links[Math.max(0, Math.min(next, links.length - 1))].closest("tr").scrollIntoView({ block: "nearest" });
  return true;
}

function press(selector) {
  const element = document.querySelector(selector);
  element?.click();
  return Boolean(element);
}

function filter() {
  const first = document.querySelector("[data-filters] summary");
  first?.focus();
  return Boolean(first);
}

function write(mode) {
  const there = document.getElementById(`mode-${mode}`);
  if (there) choose(mode);
  return Boolean(there);
}

const KEYS = {
  j: () => step(1),
  k: () => step(-1),
  "/": filter,
  r: () => write("reply"),
  n: () => write("note"),
  t: () => press("[data-take]"),
  u: () => press("[data-back]"),
  "?": () => {
    help().showModal();
    return true;
  },
};
const ARROWS = { ArrowDown: 1, ArrowUp: -1 };

function onKey(event) {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, textarea, select, dialog, [contenteditable]")) return;
  const arrow = ARROWS[event.key];
  if (arrow) {
    const free = event.target === document.body || event.target.matches(".row-link, main");
    if (free && step(arrow)) event.preventDefault();
  } else if (isOn() && Object.hasOwn(KEYS, event.key) && KEYS[event.key]()) {
    event.preventDefault();
  }
}

export function startKeyboard() {
  document.addEventListener("keydown", onKey);
  for (const button of document.querySelectorAll("[data-help]")) {
    button.hidden = false;
    button.addEventListener("click", () => help().showModal());
  }
  const choice = document.querySelector("[data-shortcuts]");
  if (choice) {
    choice.checked = isOn();
    choice.addEventListener("change", () => localStorage.setItem(SWITCH, choice.checked ? "on" : "off"));
  }
  if (document.body.classList.contains("is-queue")) sessionStorage.setItem(QUEUE, location.search);
  const back = document.querySelector("[data-back]");
  const search = sessionStorage.getItem(QUEUE);
  if (back && search?.startsWith("?")) back.search = search;
}
