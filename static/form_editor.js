/* The builder of a launch form: fields are opened in their row and moved by dragging, names of fields are inserted into sentences. */
"use strict";
(() => {
  // --- Fields in their row: one at a time, and none is closed with something typed in it.
  const opened = () => document.querySelector("[data-field-place] form");
  const typed = new WeakSet();
  document.addEventListener("input", (event) => {
    const form = event.target.closest?.("[data-field-place] form");
    if (form) typed.add(form);
  });
  document.addEventListener("htmx:beforeRequest", (event) => {
    const open = opened();
    if (!open || open.contains(event.detail.elt)) return;
    const closes = event.detail.elt.matches?.("[data-open-field]") || event.detail.target?.id === "fields";
    if (!closes) return;
    if (typed.has(open)) {
      event.preventDefault();
      open.scrollIntoView({ block: "nearest" });
      open.querySelector("[type=submit].btn-primary")?.focus();
    } else if (event.detail.elt.matches?.("[data-open-field]")) open.closest("[data-field-place]").replaceChildren();
  });
  // What was typed stays typed when a choice of its kind brings the form again.
  document.addEventListener("htmx:afterSwap", (event) => {
    const place = event.detail.target?.closest?.("[data-field-place]");
    const form = place?.querySelector("form");
    if (!form) return;
    if (event.detail.requestConfig?.verb === "post") typed.add(form);
    else form.querySelector("input:not([type=hidden]), select, textarea")?.focus();
  });
  document.addEventListener("click", (event) => {
    const place = event.target.closest?.("[data-close-field]")?.closest("[data-field-place]");
    if (!place) return;
    event.preventDefault();
    place.replaceChildren();
    place.closest("li").querySelector(".field-buttons [data-open-field]").focus();
  });

  // --- Names of fields for sentences.
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-insert]");
    const area = button && document.getElementById(button.dataset.into);
    if (!area) return;
    area.focus();
    area.setRangeText(`{${button.dataset.insert}}`, area.selectionStart, area.selectionEnd, "end");
    area.dispatchEvent(new Event("input", { bubbles: true }));
  });

  // --- Dragging: its neighbours move around the field, which keeps the pointer; Escape puts all back.
  let drag = null;
  const middle = (row) => {
    const { top, height } = row.getBoundingClientRect();
    return top + height / 2;
  };
  const end = (back) => {
    if (!drag) return;
    const { row, list, order } = drag;
    drag = null;
    row.classList.remove("dragged");
    if (back) return list.append(...order);
    const position = [...list.children].indexOf(row);
    if (position === order.indexOf(row)) return;
    const form = row.querySelector("form");
    const values = { "move-to": row.dataset.line, position: position + 1 };
    htmx.ajax("POST", form.getAttribute("action"), { source: form, target: "#fields", swap: "outerHTML settle:0ms", values });
  };
  document.addEventListener("pointerdown", (event) => {
    const handle = event.target.closest?.("[data-drag]");
    if (!handle || event.button !== 0) return;
    event.preventDefault();
    const row = handle.closest("li");
    drag = { row, list: row.parentElement, order: [...row.parentElement.children] };
    handle.setPointerCapture(event.pointerId);
    row.classList.add("dragged");
  });
  document.addEventListener("pointermove", (event) => {
    if (!drag) return;
    const { row } = drag;
    while (row.previousElementSibling && event.clientY < middle(row.previousElementSibling)) row.after(row.previousElementSibling);
    while (row.nextElementSibling && event.clientY > middle(row.nextElementSibling)) row.before(row.nextElementSibling);
    if (event.clientY < 80) window.scrollBy(0, -8);
    else if (event.clientY > window.innerHeight - 40) window.scrollBy(0, 8);
  });
  document.addEventListener("pointerup", () => end(false));
  document.addEventListener("pointercancel", () => end(true));
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") end(true);
  });
})();
