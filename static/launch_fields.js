/* A launch form's fields: those whose rule does not hold are hidden (the server leaves them out in any case). */
"use strict";
(() => {
  const fields = () => [...document.querySelectorAll("[data-field]")];

  /* The texts that a field's controls send, as form_schema/checking.py reads them. */
  const texts = (field) =>
    [...field.querySelectorAll("input, select, textarea")]
      .filter((control) => control.name === field.dataset.field && (!["radio", "checkbox"].includes(control.type) || control.checked))
      .map((control) => control.value)
      .filter((text) => text.trim() !== "");
  /* The same as people read them: for a list to choose from, its words. */
  const said = (field) => {
    const select = field.querySelector("select");
    if (select && select.name === field.dataset.field) return select.value && select.selectedOptions[0].textContent;
    const ticked = [...field.querySelectorAll("input:checked")].map((box) => box.closest("label")?.textContent.trim() ?? box.value);
    return (ticked.length ? ticked : texts(field)).join(", ").slice(0, 120);
  };
  const asNumber = (text) => (text.trim() === "" ? NaN : Number(text));
  const same = (one, two) => one === two || asNumber(one) === asNumber(two);

  const holds = (field, byName, path = []) => {
    const name = field.dataset.showIf;
    const other = name && byName.get(name);
    if (!other || path.includes(name)) return true;
    if (other.dataset.showIf && !holds(other, byName, [...path, name])) return false;
    const given = texts(other);
    const test = field.dataset.showTest;
    if (test === "filled") return given.length > 0;
    if (test === "empty") return given.length === 0;
    const found = given.some((text) => same(text, field.dataset.showValue));
    return test === "is_not" ? !found : found;
  };
  const arrange = () => {
    const all = fields();
    const byName = new Map(all.map((field) => [field.dataset.field, field]));
    for (const field of all) if (field.dataset.showIf) field.hidden = !holds(field, byName);
    for (const place of document.querySelectorAll("[data-effect]")) {
      const field = byName.get(place.dataset.effect);
      const text = field && !field.hidden ? said(field) : "";
      place.textContent = text || place.dataset.label;
    }
  };
  for (const words of document.querySelectorAll("[data-rule]")) words.hidden = true;
  document.addEventListener("input", arrange);
  document.addEventListener("change", arrange);
  document.addEventListener("htmx:afterSwap", () => {
    for (const words of document.querySelectorAll("[data-rule]")) words.hidden = true;
    arrange();
  });
  arrange();
  /* Where a keyboard is at hand, typing can begin at once. */
  if (document.activeElement === document.body && !location.hash && matchMedia("(pointer: fine)").matches) {
    fields().find((field) => !field.hidden)?.querySelector("input:not([type=hidden]), select, textarea")?.focus({ preventScroll: true });
  }

  /* From the review back to the form, which is still there with everything typed. */
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-change]");
    const review = button?.closest("#launch-review");
    if (!review) return;
    event.preventDefault();
    review.removeAttribute("data-review");
    review.replaceChildren();
    document.querySelector("[data-field] :is(input:not([type=hidden]), select, textarea)")?.focus();
  });

  /* On a phone the form comes first, and what it does is folded below it. */
  const fold = () => {
    if (!window.matchMedia("(max-width: 991.98px)").matches) return;
    for (const part of document.querySelectorAll(".folds-on-phone:not([data-folded])")) {
      part.open = false;
      part.dataset.folded = "yes";
    }
  };
  document.addEventListener("htmx:load", fold);
  fold();

  /* An error in a folded part is seen when its link is followed. */
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.('a[href^="#field-"]');
    const place = link && document.getElementById(link.getAttribute("href").slice(1));
    if (!place) return;
    event.preventDefault(); // going to the place itself would take the focus off the control again
    const fold = place.closest("details");
    if (fold) fold.open = true;
    place.scrollIntoView({ block: "center" });
    (place.matches("input, select, textarea") ? place : place.querySelector("input:not([type=hidden]), select, textarea"))?.focus({ preventScroll: true });
  });

  /* A field is checked again when it is left. Files, secrets and JSON are judged elsewhere. */
  const SENT_ALONG = ["csrfmiddlewaretoken", "_version", "_shape"];
  const show = (control, box, problem) => {
    if (box) box.textContent = problem;
    if (control.type === "radio" || control.type === "checkbox") return;
    control.classList.toggle("is-invalid", problem !== "");
    if (problem) control.setAttribute("aria-invalid", "true");
    else control.removeAttribute("aria-invalid");
  };
  document.addEventListener("change", async (event) => {
    const left = event.target;
    const form = left.closest?.("[data-launch-form]");
    const field = left.closest?.("[data-field]");
    if (!form || !field || left.type === "file" || "secret" in left.dataset || "json" in left.dataset) return;
    // What the answer says would move the button that is pressed (app.js).
    await new Promise(window.afterPress);
    const name = field.dataset.field;
    const body = new FormData();
    for (const [key, value] of new FormData(form)) {
      if (key === name || key.startsWith(`${name}[`) || SENT_ALONG.includes(key)) body.append(key, value);
    }
    body.set("_check", name);
    const typed = left.value;
    const answer = await fetch(form.getAttribute("action"), { method: "POST", body }).catch(() => null);
    if (!answer?.ok || answer.redirected || !left.isConnected || left.value !== typed) return;
    const problems = await answer.json().catch(() => ({}));
    const understood = document.getElementById(`${field.id}-understood`);
    if (understood) understood.textContent = problems[`${name}=`] ?? "";
    for (const control of field.querySelectorAll("input:not([type=hidden]), select, textarea")) {
      const problem = problems[control.name];
      // What has not been filled in yet is not complained about.
      if (problem === undefined || (control !== left && !control.hasAttribute("aria-invalid"))) continue;
      show(control, document.getElementById(control.name === name ? `${field.id}-error` : `${control.id}-error`), problem);
    }
  });
  /* The back button restores the page as it was left: leave it without the secrets. */
  window.addEventListener("pagehide", () => {
    for (const control of document.querySelectorAll("input[data-secret]")) control.value = "";
  });
})();
