"use strict";
// The card fields. They live in a frame of this origin, so that no card number is ever in the shop's page.
(() => {
  const given = JSON.parse(decodeURIComponent(location.hash.slice(1)) || "{}");
  const form = document.querySelector("form");
  const fields = Object.fromEntries(
    ["cardnumber", "exp-date", "cvc", "postal"].map((name) => [name, form.elements[name]]));
  const say = (message) => parent.postMessage({ localStripe: given.id, ...message }, "*");
  const digits = (input) => input.value.replace(/\D/g, "");

  function dress(style = {}) {
    const base = style.base || {};
    const root = document.documentElement.style;
    const pairs = [["--color", base.color], ["--font", base.fontFamily], ["--size", base.fontSize],
      ["--placeholder", (base["::placeholder"] || {}).color], ["--invalid", (style.invalid || {}).color]];
    for (const [name, value] of pairs) if (value) root.setProperty(name, value);
  }

  function luhn(number) {
    let sum = 0;
    [...number].reverse().forEach((digit, index) => {
      const value = Number(digit) * (1 + index % 2);
      sum += value > 9 ? value - 9 : value;
    });
    return sum % 10 === 0;
  }

  function brandOf(number) {
    if (/^4/.test(number)) return "visa";
    if (/^3[47]/.test(number)) return "amex";
    if (/^(5[1-5]|2[2-7])/.test(number)) return "mastercard";
    if (/^(6011|65)/.test(number)) return "discover";
    return "unknown";
  }

  const lengthOf = (brand) => (brand === "amex" ? 15 : 16);
  const fault = (code, message) => ({ type: "validation_error", code, message });

  function faultOf(name) {
    const number = digits(fields.cardnumber);
    const brand = brandOf(number);
    if (name === "cardnumber") {
      if (number.length < lengthOf(brand)) return fault("incomplete_number", "Your card number is incomplete.");
      return luhn(number) ? null : fault("invalid_number", "Your card number is invalid.");
    }
    if (name === "exp-date") {
      const typed = digits(fields["exp-date"]);
      if (typed.length < 4) return fault("incomplete_expiry", "Your card's expiration date is incomplete.");
      const month = Number(typed.slice(0, 2));
      const end = new Date(2000 + Number(typed.slice(2)), month, 1);
      if (month < 1 || month > 12) return fault("invalid_expiry_month", "Your card's expiration date is invalid.");
      return end > new Date() ? null
        : fault("invalid_expiry_year_past", "Your card's expiration date is in the past.");
    }
    if (name === "cvc") {
      return digits(fields.cvc).length >= (brand === "amex" ? 4 : 3) ? null
        : fault("incomplete_cvc", "Your card's security code is incomplete.");
    }
    return fields.postal.hidden || fields.postal.value.trim().length > 2 ? null
      : fault("incomplete_zip", "Your postal code is incomplete.");
  }

  const names = ["cardnumber", "exp-date", "cvc", "postal"];
  const faults = () => names.map(faultOf);

  function format(input) {
    const typed = digits(input);
    if (input.name === "cardnumber") {
      const brand = brandOf(typed);
      const cut = typed.slice(0, brand === "unknown" ? 19 : lengthOf(brand));
      input.value = brand === "amex"
        ? [cut.slice(0, 4), cut.slice(4, 10), cut.slice(10)].filter(Boolean).join(" ")
        : cut.replace(/(\d{4})(?=\d)/g, "$1 ");
    } else if (input.name === "exp-date") {
      const full = /^[2-9]/.test(typed) ? `0${typed}` : typed;
      input.value = full.length > 2 ? `${full.slice(0, 2)} / ${full.slice(2, 4)}` : full;
    } else if (input.name === "cvc") {
      input.value = typed.slice(0, 4);
    }
  }

  function advance(input) {
    if (document.activeElement !== input || input.selectionStart !== input.value.length) return;
    const next = fields[names[names.indexOf(input.name) + 1]];
    const full = (input.name === "cardnumber" && digits(input).length === lengthOf(brandOf(digits(input))))
      || (input.name === "exp-date" && digits(input).length === 4);
    if (full && next && !faultOf(input.name)) next.focus();
  }

  function report(shown) {
    say({
      event: "change",
      detail: {
        elementType: given.type, complete: faults().every((found) => !found), brand: brandOf(digits(fields.cardnumber)),
        empty: names.every((name) => !fields[name].value), error: shown || undefined,
      },
    });
  }

  form.addEventListener("input", ({ target }) => {
    format(target);
    target.removeAttribute("aria-invalid");
    const shown = target.name === "cardnumber" && faultOf("cardnumber")?.code === "invalid_number"
      ? faultOf("cardnumber") : null;
    if (shown) target.setAttribute("aria-invalid", "true");
    advance(target);
    report(shown);
  });
  form.addEventListener("focusin", () => say({ event: "focus" }));
  form.addEventListener("focusout", ({ target }) => {
    const found = target.value ? faultOf(target.name) : null;
    if (found) { target.setAttribute("aria-invalid", "true"); report(found); }
    say({ event: "blur" });
  });
  form.addEventListener("submit", (event) => { event.preventDefault(); say({ event: "submit" }); });

  function flatten(value, name, into) {
    if (value === null || value === undefined) return;
    if (typeof value === "object") {
      for (const [key, below] of Object.entries(value)) flatten(below, name ? `${name}[${key}]` : key, into);
    } else into.append(name, value);
  }

  function cardData(billing = {}) {
    const postal = fields.postal.hidden ? undefined : fields.postal.value.trim();
    const typed = digits(fields["exp-date"]);
    return {
      type: "card",
      card: {
        number: digits(fields.cardnumber), exp_month: typed.slice(0, 2), exp_year: `20${typed.slice(2)}`,
        cvc: digits(fields.cvc),
      },
      billing_details: { ...billing, address: { postal_code: postal, ...(billing.address || {}) } },
    };
  }

  async function call(path, params) {
    const bad = faults().findIndex(Boolean);
    if (bad >= 0) {
      fields[names[bad]].setAttribute("aria-invalid", "true");
      return { error: faultOf(names[bad]) };
    }
    const body = new URLSearchParams();
    flatten({ ...params, key: given.key }, "", body);
    try {
      const answer = await fetch(path, { method: "POST", body });
      const json = await answer.json();
      return json.error ? { error: json.error } : { result: json };
    } catch (error) {
      return { error: { type: "api_connection_error", message: "We could not reach the payment service." } };
    }
  }

  addEventListener("message", async ({ source, data }) => {
    if (source !== parent || !data || data.localStripe !== given.id) return;
    if (data.action === "dress") dress(data.style);
    if (data.action === "focus") fields.cardnumber.focus();
    if (data.action === "clear") { form.reset(); report(); }
    if (data.action === "createPaymentMethod") {
      say({ reply: data.call, ...await call("/v1/payment_methods", cardData(data.billing_details)) });
    }
    if (data.action === "confirm") {
      const method = cardData(data.billing_details);
      say({
        reply: data.call,
        ...await call(`/v1/payment_intents/${data.intent}/confirm`, {
          client_secret: data.client_secret, payment_method_data: method, use_stripe_sdk: "true",
          return_url: data.return_url,
        }),
      });
    }
  });

  dress(given.style);
  if (given.type === "payment") form.classList.add("stacked");
  if (given.hidePostalCode) {
    fields.postal.hidden = true;
    fields.postal.closest("label").hidden = true;
  }
  new ResizeObserver(() => say({ height: Math.ceil(form.getBoundingClientRect().height) })).observe(form);
  say({ event: "ready" });
})();
