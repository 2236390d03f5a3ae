/* The keys of the search dialog (a combobox with a listbox): arrows choose, Enter opens, Esc closes. */
"use strict";
(() => {
  const dialog = () => document.getElementById("search");
  const input = () => document.getElementById("search-input");
  const options = () => [...document.querySelectorAll("#search [role=option]")];
  const chosen = () => document.querySelector("#search [role=option][aria-selected=true]");
  // Whether the results are those of the text in the field.
  let current = false;

  const choose = (option) => {
    for (const other of options()) other.ariaSelected = String(other === option);
    if (option) {
      input().setAttribute("aria-activedescendant", option.id);
      option.scrollIntoView({ block: "nearest" });
    } else {
      input().removeAttribute("aria-activedescendant");
    }
  };
  document.addEventListener("input", (event) => {
    if (event.target === input()) current = false;
  });
  document.addEventListener("htmx:afterSwap", () => {
    if (!dialog()?.open) return;
    current = true;
    if (!chosen()) choose(options()[0]);
  });
  document.addEventListener("keydown", (event) => {
    if (event.target !== input() || event.isComposing) return;
    const found = options();
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && found.length) {
      event.preventDefault();
      choose(found[(found.indexOf(chosen()) + step + found.length) % found.length]);
    } else if (event.key === "Enter" && current && chosen()) {
      // Else the form opens the page of results.
      event.preventDefault();
      chosen().click();
    }
  });
  document.addEventListener("click", (event) => {
    if (event.target === dialog() || event.target.closest?.("#search [role=option]")) dialog().close();
  });
})();
