// Asking to be called: loaded when somebody wants it, built with the panel's own tools.

export function make({ h, data, t, send, back }) {
  const { call } = data;
  let { offer } = data;
  const chips = (name, items, onchange) => h("div", { className: "chips" }, ...items.map(([value, label], index) =>
    h("label", { className: "chip" }, h("input", { type: "radio", name, value, checked: name == "day" && !index, onchange }),
      h("span", {}, label))));
  const field = (id, label, input, hint) => h("div", {},
    h("label", { className: "label", htmlFor: id }, label, hint && " ", hint && h("span", {}, `(${hint})`)), input);

  const error = h("p", { className: "error", role: "alert" });
  const times = h("fieldset", { className: "times" });
  const show = (index) => times.replaceChildren(h("legend", {}, t.callTime),
    chips("slot", offer.days[index].slots.map(({ value, label }) => [value, label])));
  const days = h("fieldset", {});
  const fill = () => {
    days.replaceChildren(h("legend", {}, t.callDay),
      chips("day", offer.days.map(({ day }, index) => [index, day]), (event) => show(event.target.value)));
    show(0);
  };
  const phone = h("input", { type: "tel", id: "phone", name: "phone", autocomplete: "tel", maxLength: 40, dir: "ltr",
    value: call?.phone || offer.own });
  const about = h("textarea", { id: "about", name: "about", rows: 2, maxLength: offer.limit, dir: "auto" });
  fill();

  const form = h("form", { className: "first", noValidate: true, id: "first", onsubmit: async (event) => {
    event.preventDefault();
    const slot = form.querySelector("[name=slot]:checked");
    const wrong = await send({ slot: slot?.value, phone: phone.value, about: about.value, zone: offer.zone });
    if (!wrong) return;
    if (slot && wrong.field == "slot" && wrong.offer) {
      offer = wrong.offer;
      fill();
    }
    error.textContent = wrong.message;
    const place = { phone, slot: times, about }[wrong.field];
    (place || form).after(error);
    (wrong.field == "slot" ? times.querySelector("input") : place || phone).focus();
  } },
    h("h3", {}, call ? t.callMove : t.call), days, times, h("p", { className: "why" }, offer.times),
    field("phone", t.callPhone, phone), field("about", t.callAbout, about, t.optional),
    offer.instead && h("p", { className: "why" }, offer.instead));
  const bar = h("div", { className: "bar row" }, h("button", { className: "send", type: "submit" }, t.callSend),
    h("button", { className: "plain", type: "button", onclick: back }, t.callBack));
  bar.firstChild.setAttribute("form", "first");
  return [form, bar];
}
