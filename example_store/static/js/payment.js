"use strict";
// The payment step: card fields by Stripe.js, then an ordinary form submission with the id of what was typed.
(() => {
  const form = document.getElementById("payment-form");
  const button = document.getElementById("pay");
  const error = document.getElementById("card-error");
  const { stripeKey, clientSecret, name, email } = form.dataset;
  const say = (text) => { error.textContent = text || ""; };

  if (typeof window.Stripe !== "function") {
    say("The card fields could not be loaded. Please reload the page.");
    button.disabled = true;
    return;
  }
  const stripe = window.Stripe(stripeKey);
  const look = getComputedStyle(document.body);
  const card = stripe.elements().create("card", {
    style: {
      base: { color: look.color, fontFamily: look.fontFamily, fontSize: "16px", "::placeholder": { color: "#6d665c" } },
      invalid: { color: "#a3301f" },
    },
  });
  card.mount("#card-element");
  card.on("change", (event) => say(event.error && event.error.message));

  function busy(on, text) {
    button.disabled = on;
    button.setAttribute("aria-busy", String(on));
    if (text) button.dataset.label ||= button.textContent;
    button.textContent = on ? text : button.dataset.label || button.textContent;
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.disabled) return;
    busy(true, "One moment…");
    say("");
    const made = await stripe.createPaymentMethod({ type: "card", card, billing_details: { name, email } });
    if (made.error) {
      say(made.error.message);
      busy(false);
      return;
    }
    form.elements.payment_method.value = made.paymentMethod.id;
    form.submit();
  });

  // Coming back with the page kept by the browser: the button must work again.
  addEventListener("pageshow", ({ persisted }) => { if (persisted) busy(false); });

  async function challenge() {
    busy(true, "Waiting for your bank…");
    await stripe.handleNextAction({ clientSecret });
    location.assign(form.dataset.return);
  }
  if (clientSecret) challenge();
})();
