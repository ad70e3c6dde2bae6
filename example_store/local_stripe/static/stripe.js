"use strict";
// Stands in for https://js.stripe.com/v3/: the part of Stripe.js that a shop with card payments uses.
// No inline style or script, no HTML from strings: it holds under a strict CSP with Trusted Types.
(() => {
  const origin = new URL(document.currentScript.src).origin;
  let count = 0;

  class Element {
    constructor(type, key, options, onGone) {
      this._id = `ls_${Date.now().toString(36)}_${++count}`;
      this._type = type;
      this._listeners = {};
      this._waiting = new Map();
      this._onGone = onGone;
      this._given = { id: this._id, key, type, style: options.style, hidePostalCode: options.hidePostalCode };
      this._hear = (event) => this._receive(event);
    }

    mount(target) {
      const place = typeof target === "string" ? document.querySelector(target) : target;
      if (!place) throw new Error(`The selector you specified (${target}) applies to no DOM elements.`);
      const frame = document.createElement("iframe");
      frame.title = "Secure card payment input frame";
      frame.name = `__privateStripeFrame${count}`;
      frame.allow = "payment *";
      Object.assign(frame.style, { border: "0", width: "100%", display: "block", height: "32px", colorScheme: "normal" });
      frame.src = `${origin}/elements/card#${encodeURIComponent(JSON.stringify(this._given))}`;
      this._frame = frame;
      addEventListener("message", this._hear);
      place.classList.add("StripeElement", "StripeElement--empty");
      place.replaceChildren(frame);
      this._place = place;
      return this;
    }

    unmount() {
      removeEventListener("message", this._hear);
      this._frame?.remove();
      this._frame = undefined;
      return this;
    }

    destroy() { this.unmount(); this._onGone(this); return this; }
    on(name, handler) { (this._listeners[name] ||= []).push(handler); return this; }
    once(name, handler) {
      const wrapped = (value) => { this.off(name, wrapped); handler(value); };
      return this.on(name, wrapped);
    }
    off(name, handler) {
      this._listeners[name] = (this._listeners[name] || []).filter((one) => handler && one !== handler);
      return this;
    }
    focus() { this._frame?.focus(); this._send({ action: "focus" }); return this; }
    blur() { this._frame?.blur(); return this; }
    clear() { this._send({ action: "clear" }); return this; }
    update(options) { if (options.style) this._send({ action: "dress", style: options.style }); return this; }

    _send(message) { this._frame?.contentWindow.postMessage({ localStripe: this._id, ...message }, origin); }

    _ask(message) {
      if (!this._frame) {
        return Promise.resolve({ error: { type: "invalid_request_error", message: "The Element is not mounted." } });
      }
      const call = ++count;
      return new Promise((resolve) => {
        this._waiting.set(call, resolve);
        this._send({ ...message, call });
      });
    }

    _receive({ origin: from, source, data }) {
      if (from !== origin || source !== this._frame?.contentWindow || data.localStripe !== this._id) return;
      if (data.height) this._frame.style.height = `${data.height}px`;
      if (data.reply) {
        this._waiting.get(data.reply)?.({ result: data.result, error: data.error });
        this._waiting.delete(data.reply);
      }
      if (data.event) this._tell(data.event, data.detail || {});
    }

    _tell(name, detail) {
      const classes = this._place.classList;
      if (name === "focus") classes.add("StripeElement--focus");
      if (name === "blur") classes.remove("StripeElement--focus");
      if (name === "change") {
        classes.toggle("StripeElement--empty", detail.empty);
        classes.toggle("StripeElement--complete", detail.complete);
        classes.toggle("StripeElement--invalid", Boolean(detail.error));
      }
      for (const handler of [...(this._listeners[name] || [])]) handler(detail);
    }
  }

  function elementsOf(key, groupOptions) {
    const made = new Map();
    return {
      _options: groupOptions,
      create(type, options = {}) {
        if (type !== "card" && type !== "payment") throw new Error(`The local Stripe has no Element "${type}".`);
        if (made.has(type)) throw new Error(`Can only create one Element of type ${type}.`);
        made.set(type, new Element(type, key, options, () => made.delete(type)));
        return made.get(type);
      },
      getElement: (type) => made.get(type) || null,
      submit: async () => ({}),
      update() {},
      _any: () => made.get("payment") || made.get("card"),
    };
  }

  const intentOf = (secret) => String(secret).split("_secret_")[0];

  async function retrieve(key, secret) {
    const query = new URLSearchParams({ key, client_secret: secret });
    try {
      const answer = await fetch(`${origin}/v1/payment_intents/${intentOf(secret)}?${query}`);
      const body = await answer.json();
      return body.error ? { error: body.error } : { paymentIntent: body };
    } catch (error) {
      return { error: { type: "api_connection_error", message: "We could not reach the payment service." } };
    }
  }

  function challenge(url) {
    const veil = document.createElement("div");
    Object.assign(veil.style, {
      position: "fixed", inset: "0", zIndex: "2147483647", display: "grid", placeItems: "center",
      background: "rgb(15 18 28 / .55)", padding: "16px",
    });
    const frame = document.createElement("iframe");
    frame.title = "3-D Secure authentication";
    frame.name = "stripe-challenge-frame";
    Object.assign(frame.style, {
      border: "0", borderRadius: "14px", width: "min(420px, 100%)", height: "min(520px, 92vh)", background: "#fff",
    });
    frame.src = url;
    veil.append(frame);
    document.body.append(veil);
    frame.focus();
    return new Promise((resolve) => {
      const hear = ({ origin: from, source, data }) => {
        if (from !== origin || source !== frame.contentWindow || data?.localStripe !== "3d-secure") return;
        removeEventListener("message", hear);
        veil.remove();
        resolve();
      };
      addEventListener("message", hear);
    });
  }

  async function settle(key, secret) {
    let found = await retrieve(key, secret);
    if (found.error || found.paymentIntent.status !== "requires_action") return outcome(found);
    const next = found.paymentIntent.next_action;
    if (next.type === "redirect_to_url") {
      location.assign(next.redirect_to_url.url);
      return new Promise(() => {});
    }
    await challenge(next.use_stripe_sdk.stripe_js);
    return outcome(await retrieve(key, secret));
  }

  function outcome(found) {
    const intent = found.paymentIntent;
    if (intent?.status !== "requires_payment_method" || !intent.last_payment_error) return found;
    return { error: { ...intent.last_payment_error, payment_intent: intent } };
  }

  window.Stripe = (key) => {
    const elementIn = (value) => (value instanceof Element ? value : value?._any?.());

    async function confirm(secret, element, billing, returnUrl) {
      const answer = await element._ask({
        action: "confirm", intent: intentOf(secret), client_secret: secret, billing_details: billing, return_url: returnUrl,
      });
      return answer.error ? { error: answer.error } : settle(key, secret);
    }

    return {
      elements: (options = {}) => elementsOf(key, options),
      async createPaymentMethod({ card, element, elements, billing_details, params = {} }) {
        const asked = elementIn(card || element || elements);
        const answer = await asked._ask({
          action: "createPaymentMethod", billing_details: billing_details || params.billing_details,
        });
        return answer.error ? { error: answer.error } : { paymentMethod: answer.result };
      },
      confirmCardPayment(secret, { payment_method: method, return_url } = {}) {
        if (method?.card) return confirm(secret, method.card, method.billing_details, return_url);
        return settle(key, secret);
      },
      confirmPayment({ elements, clientSecret, confirmParams = {} }) {
        const secret = clientSecret || elements._options.clientSecret;
        const billing = confirmParams.payment_method_data?.billing_details;
        return confirm(secret, elementIn(elements), billing, confirmParams.return_url);
      },
      handleNextAction: ({ clientSecret }) => settle(key, clientSecret),
      handleCardAction: (clientSecret) => settle(key, clientSecret),
      retrievePaymentIntent: (clientSecret) => retrieve(key, clientSecret),
    };
  };
  window.Stripe.version = "local";
})();
