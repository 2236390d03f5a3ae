/* The form of a step with an app. Its requests ([data-replaces]: the ids of what the answer replaces) overlap, and people go on meanwhile: an
   older answer does not replace what a newer request asks for, and none undoes what was changed after its request. */
"use strict";
(() => {
  const idsOf = (element) => element?.dataset?.replaces?.split(" ") ?? [];
  const newest = new Map();
  document.addEventListener("htmx:beforeRequest", (event) => {
    for (const id of idsOf(event.detail.elt)) newest.set(id, event.detail.xhr);
  });

  // Enter in a search of choices searches, instead of saving the form.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !event.target.matches(".property-tools [type=search]")) return;
    event.preventDefault();
    event.target.parentElement.querySelector("button").click();
  });

  const controlsOf = (part) => [...part.querySelectorAll("input:not([type=hidden]), select, textarea")].filter((control) => control.name);
  const isTicked = (control) => control.matches("[type=checkbox], [type=radio]");
  const wasChanged = (control, sent) =>
    isTicked(control) ? control.checked !== sent.getAll(control.name).includes(control.value) : control.value !== (sent.get(control.name) ?? "");
  const keepChanges = (old, part, sent) => {
    const coming = controlsOf(part);
    for (const control of controlsOf(old)) {
      const same = coming.find((one) => one.name === control.name && (!isTicked(control) || one.value === control.value));
      if (!same || !wasChanged(control, sent)) continue;
      if (isTicked(control)) same.defaultChecked = control.checked;
      else if (same.matches("select")) {
        const chosen = [...same.options].find((option) => option.value === control.value);
        if (chosen) for (const option of same.options) option.defaultSelected = option === chosen;
      } else same.defaultValue = control.value;
      const fold = same.closest("details");
      if (fold) fold.open = true;
    }
  };

  const replace = (old, part, sent) => {
    keepChanges(old, part, sent);
    const typed = controlsOf(old).find((control) => control.codeEditor?.isFocused());
    htmx.swap(old, part.outerHTML, { swapStyle: "outerHTML", settleDelay: 0 }, { eventInfo: { target: old } });
    const field = typed && document.getElementById(typed.id);
    if (!field) return;
    const at = typed.codeEditor.session.doc.positionToIndex(typed.codeEditor.getCursorPosition());
    field.focus();
    field.setSelectionRange(at, at);
  };

  // The form itself is the target of these requests (piece_form.html): what they were issued for may be gone by the time of the answer.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr, requestConfig, shouldSwap, isError, target } = event.detail;
    const ids = idsOf(requestConfig?.elt);
    if (!ids.length || !shouldSwap || isError || target.id === "alerts") return;
    event.detail.shouldSwap = false;
    const answer = new DOMParser().parseFromString(xhr.response, "text/html");
    // What has the focus comes first: app.js gives it back after the first swap.
    const parts = ids.map((id) => document.getElementById(id)).filter((part) => part && newest.get(part.id) === xhr);
    for (const old of parts.sort((one, other) => other.contains(document.activeElement) - one.contains(document.activeElement))) {
      const part = answer.getElementById(old.id);
      if (part) replace(old, part, requestConfig.formData);
    }
    // A pressed button was disabled meanwhile, which takes the focus from it; that of a removed row is gone.
    const pressed = requestConfig.elt.value;
    if (!pressed || document.activeElement !== document.body) return;
    const buttons = [...(document.getElementById(ids[0])?.querySelectorAll("button[name=redo]") ?? [])];
    (buttons.find((button) => button.value === pressed) ?? buttons.at(-1))?.focus();
  });
})();
