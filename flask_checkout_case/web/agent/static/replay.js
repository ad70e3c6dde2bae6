// Replays count the hours of the week where the reader is, and say that they are at work. Without
// this module the zone is chosen from those of the policy's calendars.

const here = Intl.DateTimeFormat().resolvedOptions().timeZone;

for (const link of document.querySelectorAll("a[data-zone]")) {
  link.search += `&zone=${encodeURIComponent(here)}`;
}

for (const choice of document.querySelectorAll("[data-zones]")) {
  if (![...choice.options].some((one) => one.value === here)) choice.add(new Option(here));
  if ("open" in choice.dataset) choice.value = here;
}

for (const form of document.querySelectorAll("[data-replay]")) {
  const running = form.querySelector("[data-running]");
  form.addEventListener("submit", () => {
    running.textContent = running.dataset.running;
  });
  // A page that comes back as it was left has nothing under way.
  window.addEventListener("pageshow", () => {
    running.textContent = "";
  });
  form.dataset.ready = "";
}
