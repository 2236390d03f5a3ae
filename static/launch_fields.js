/* A launch form's fields: those whose rule does not hold are hidden (the server leaves them out in any case), and the form is sent once. */
"use strict";
(() => {
  const fields = () => [...document.querySelectorAll("[data-field]")];

  /* The texts that a field's controls send, as forming/checking.py reads them. */
  const texts = (field) =>
    [...field.querySelectorAll("input, select, textarea")]
      .filter((control) => control.name === field.dataset.field && (!["radio", "checkbox"].includes(control.type) || control.checked))
      .map((control) => control.value)
      .filter((text) => text.trim() !== "");
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
  };
  for (const words of document.querySelectorAll("[data-rule]")) words.hidden = true;
  document.addEventListener("input", arrange);
  document.addEventListener("change", arrange);
  document.addEventListener("htmx:afterSwap", () => {
    for (const words of document.querySelectorAll("[data-rule]")) words.hidden = true;
    arrange();
  });
  arrange();
  /* An error in a folded part is seen when its link is followed. */
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.('a[href^="#field-"]');
    const field = link && document.querySelector(link.getAttribute("href"));
    if (!field) return;
    event.preventDefault(); // going to the place itself would take the focus off the control again
    const fold = field.closest("details");
    if (fold) fold.open = true;
    field.scrollIntoView();
    field.querySelector("input:not([type=hidden]), select, textarea")?.focus();
  });

  /* A second click while the first is on its way sends nothing (nor does htmx: hx-sync); what comes back makes the buttons usable again. */
  let sent = false;
  const rested = () => {
    sent = false;
    for (const button of document.querySelectorAll("[data-launch-form] .btn-loading")) button.classList.remove("btn-loading");
  };
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("[data-launch-form]")) return;
    if (sent) return event.preventDefault();
    sent = true;
    (event.submitter?.matches(".visually-hidden") ? form.querySelector(".card-footer [data-launch]") : event.submitter)?.classList.add("btn-loading");
  });
  window.addEventListener("pageshow", rested);
  document.addEventListener("htmx:afterRequest", (event) => {
    const leaves = event.detail.xhr?.getResponseHeader("HX-Redirect");
    if (event.detail.elt?.matches?.("[data-launch-form]") && !leaves) rested();
  });
})();
