/* Forms that edit a flow: values of earlier steps for fields with expressions ([data-expression]), and rows that are added and removed. */
"use strict";
(() => {
  const dialog = document.getElementById("values-dialog");
  const search = document.getElementById("values-search");

  // --- Beside each such field a button that opens the values, and a line with what its expressions become.
  const labelOf = (field) => (field.labels?.[0]?.textContent ?? field.ariaLabel)?.replace(/\*\s*$/, "").trim() ?? "";
  const lineOf = (field) => document.getElementById(`${field.id}-resolved`);
  const equip = (field) => {
    if (lineOf(field) || !field.form?.dataset.values) return;
    const tools = document.getElementById("expression-tools").content.firstElementChild.cloneNode(true);
    const [button, line] = [tools.querySelector("button"), tools.querySelector(".expression-value")];
    line.id = `${field.id}-resolved`;
    button.dataset.valuesFor = field.id;
    button.setAttribute("aria-label", `${button.textContent.trim()}: ${labelOf(field)}`);
    field.setAttribute("aria-describedby", `${field.getAttribute("aria-describedby") ?? ""} ${line.id}`.trim());
    field.after(tools);
  };
  const addressOf = (form, path = "") => {
    const url = new URL(form.dataset.values, location.href);
    url.pathname += path;
    // A form may let its place be chosen.
    for (const name of ["step", "branch", "place"]) {
      const control = form.elements.namedItem(name);
      if (control?.value) url.searchParams.set(name, control.value);
    }
    return url.pathname + url.search;
  };
  const resolved = new WeakMap();
  const resolve = (fields) => {
    const changed = fields.filter((field) => lineOf(field) && resolved.get(field) !== field.value);
    for (const field of changed) resolved.set(field, field.value);
    for (const field of changed) if (!field.value.includes("{{")) lineOf(field).textContent = "";
    const asked = changed.filter((field) => field.value.includes("{{"));
    if (!asked.length) return;
    const values = { field: asked.map((field) => field.id), text: asked.map((field) => field.value) };
    htmx.ajax("POST", addressOf(asked[0].form, "resolved/"), { source: dialog, swap: "none", values }).catch(() => {});
  };
  const start = (event) => {
    const fields = [...(event.target ?? document).querySelectorAll?.("[data-expression]") ?? []];
    for (const field of fields) equip(field);
    const forms = new Map(fields.map((field) => [field.form, fields.filter((other) => other.form === field.form)]));
    for (const own of forms.values()) resolve(own);
  };
  document.addEventListener("htmx:load", (event) => {
    const button = event.target.querySelector?.("[data-add-row]");
    if (button) trimRows(button);
    start(event);
  });
  document.addEventListener("focusout", (event) => {
    if (event.target.matches?.("[data-expression]")) resolve([event.target]);
  });

  // --- Rows ([data-row]): their fields have the number of the row at the end of their names. The server ignores empty rows and gaps.
  const textsOf = (row) => [...row.querySelectorAll("input[type=text], textarea")];
  const isEmpty = (row) => textsOf(row).every((field) => !field.value);
  const rowsOf = (button) => [...button.form.querySelectorAll("[data-row]")];
  // Empty rows are for browsers without scripts; one is enough here.
  const trimRows = (button) => {
    const rows = rowsOf(button);
    while (rows.length > 1 && isEmpty(rows.at(-1)) && isEmpty(rows.at(-2))) rows.pop().remove();
  };
  const renumber = (row, number) => {
    const old = new RegExp(`([a-z]+)${row.dataset.row}(?![0-9])`, "g");
    for (const element of row.querySelectorAll("*")) {
      for (const name of ["id", "name", "for", "aria-describedby", "data-values-for"]) {
        if (element.hasAttribute(name)) element.setAttribute(name, element.getAttribute(name).replace(old, `$1${number}`));
      }
    }
    for (const words of row.querySelectorAll("legend, [data-remove-row] span")) words.textContent = words.textContent.replace(/\d+$/, number);
    row.dataset.row = number;
  };
  const addRow = (button) => {
    const rows = rowsOf(button);
    const [last, most] = [rows.at(-1), Number(button.dataset.addRow)];
    if (Number(last.dataset.row) >= most && rows.length < most) rows.forEach((row, place) => renumber(row, place + 1));
    const number = Number(last.dataset.row) + 1;
    button.form.querySelector("[data-rows-full]").hidden = number <= most;
    if (number > most) return;
    const row = last.cloneNode(true);
    for (const part of row.querySelectorAll(".expression-tools, .invalid-feedback")) part.remove();
    for (const field of row.querySelectorAll(".is-invalid")) field.classList.remove("is-invalid");
    for (const field of textsOf(row)) {
      field.removeAttribute("aria-invalid");
      field.removeAttribute("aria-describedby");
      field.defaultValue = field.value = "";
    }
    renumber(row, number);
    last.after(row);
    start({ target: row });
    textsOf(row)[0].focus();
  };
  const removeRow = (row) => {
    const rows = rowsOf(row.querySelector("[data-remove-row]"));
    const next = rows[rows.indexOf(row) + 1] ?? rows[rows.indexOf(row) - 1];
    for (const field of textsOf(row)) field.value = "";
    if (next) row.remove();
    next?.closest("form").querySelector("[data-rows-full]").setAttribute("hidden", "");
    textsOf(next ?? row)[0].focus();
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-add-row], [data-remove-row]");
    if (button) "addRow" in button.dataset ? addRow(button) : removeRow(button.closest("[data-row]"));
  });

  // --- The dialog: what is chosen goes where the caret was.
  let target = null;
  const ask = () => htmx.ajax("GET", addressOf(target.form), { source: search, target: "#values", swap: "outerHTML" }).catch(() => {});
  const open = (field) => {
    target = field;
    search.value = "";
    document.getElementById("values").replaceChildren();
    dialog.showModal();
    search.focus();
    ask();
  };
  const insert = (expression) => {
    dialog.close();
    if (target.codeEditor) {
      target.codeEditor.focus();
      target.codeEditor.insert(expression);
    } else {
      target.focus();
      target.setRangeText(expression, target.selectionStart, target.selectionEnd, "end");
      target.dispatchEvent(new Event("input", { bubbles: true }));
    }
    resolve([target]);
  };
  document.addEventListener("click", (event) => {
    const opener = event.target.closest?.("[data-values-for]");
    if (opener) open(document.getElementById(opener.dataset.valuesFor));
    if (event.target.closest?.("[data-close-values]") || event.target === dialog) dialog.close();
    const chosen = event.target.closest?.("#values-dialog [data-value-expression]");
    if (chosen) insert(chosen.dataset.valueExpression);
  });
  let waiting = 0;
  search.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => dialog.open && ask(), 250);
  });
  // The arrows move between the values, as in other lists of the console.
  dialog.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    const places = [search, ...dialog.querySelectorAll("#values :is(summary, button, a)")].filter((one) => one.checkVisibility());
    const at = places.indexOf(document.activeElement);
    places[at + (event.key === "ArrowDown" ? 1 : -1)]?.focus();
    event.preventDefault();
  });
  // Links inside lead to other values, whose first one gets the focus.
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.elt.id === "values" && document.activeElement === document.body) event.detail.elt.querySelector("summary, button, a")?.focus();
    // A message about an error would be below the dialog.
    if (event.detail.target?.id === "alerts" && dialog.open) dialog.close();
  });
})();
