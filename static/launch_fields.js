/* A launch form's fields: those whose rule does not hold are hidden (the server leaves them out in any case). */
"use strict";
(() => {
  const fields = () => [...document.querySelectorAll("[data-field]")];

  /* The texts that a field's controls send, as launch_forms/schema/checking.py reads them. */
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
  /* The back button restores the page as it was left: leave it without the secrets. */
  window.addEventListener("pagehide", () => {
    for (const control of document.querySelectorAll("input[data-secret]")) control.value = "";
  });
})();
