/* Fields for code ([data-code]: its language) become an Ace editor, whose files are loaded when a page has such a field. The field itself is
   hidden and keeps the value: it is what the form sends. */
"use strict";
(() => {
  const files = document.currentScript.dataset;
  const loaded = new Map();
  const load = (url) => {
    if (!loaded.has(url)) {
      const isStyle = url === files.style;
      const element = Object.assign(document.createElement(isStyle ? "link" : "script"), isStyle ? { rel: "stylesheet", href: url } : { src: url });
      loaded.set(url, new Promise((done, failed) => Object.assign(element, { onload: done, onerror: failed })));
      document.head.append(element);
    }
    return loaded.get(url);
  };
  const loadAce = async () => {
    await Promise.all([load(files.style), load(files.ace)]);
    // Styles that the editor would add to the page are refused by the content security policy: they are in files.
    ace.config.set("useStrictCSP", true);
    ace.config.setModuleUrl("ace/ext/searchbox", files.search);
    const texts = [...document.getElementById("code-editor-texts").content.querySelectorAll("[data-text]")];
    ace.config.setMessages(Object.fromEntries(texts.map((text) => [text.dataset.text, text.textContent])));
    ace.define("ace/theme/console", ["require", "exports", "module"], (_require, exports) => {
      Object.assign(exports, { isDark: false, cssClass: "ace-console", cssText: "" });
    });
  };
  let ready = null;

  // The Tab key indents. After Escape it leaves the editor, as the help below it says.
  const letTabLeave = (place) => {
    let leaves = false;
    place.addEventListener("keydown", (event) => {
      if (event.key === "Tab" && leaves) event.stopPropagation();
      if (event.key !== "Shift") leaves = event.key === "Escape";
      // Elsewhere in a form Escape closes it (navigation.js).
      if (leaves) event.preventDefault();
    }, true);
  };
  const describe = (field, editor, place) => {
    const help = document.getElementById("code-editor-texts").content.querySelector(".code-keys").cloneNode(true);
    help.id = `${field.id}-keys`;
    place.after(help);
    editor.textInput.setAriaLabel();
    const input = editor.textInput.getElement();
    input.setAttribute("aria-describedby", `${field.getAttribute("aria-describedby") ?? ""} ${help.id}`.trim());
    if (field.hasAttribute("aria-invalid")) input.setAttribute("aria-invalid", "true");
    for (const label of field.labels) label.addEventListener("click", () => editor.focus());
  };
  const begin = async (field) => {
    if (field.hidden) return;
    ready ??= loadAce();
    await ready;
    await load(files[field.dataset.code]);
    if (!field.isConnected || field.hidden) return;
    const place = Object.assign(document.createElement("div"), { className: "code-editor" });
    field.after(place);
    place.classList.toggle("is-invalid", field.classList.contains("is-invalid"));
    const editor = ace.edit(place, {
      // Workers are made of blobs, which the policy refuses; this has to come before the mode, which starts one.
      useWorker: false,
      mode: `ace/mode/${field.dataset.code}`,
      theme: "ace/theme/console",
      minLines: field.rows,
      maxLines: 40,
      showPrintMargin: false,
      showFoldWidgets: false,
      textInputAriaLabel: field.labels[0]?.textContent.replace(/\*\s*$/, "").trim() ?? "",
      tabSize: 2,
      wrap: window.matchMedia("(max-width: 767.98px)").matches,
    });
    editor.session.setValue(field.value);
    editor.commands.removeCommands(["openCommandPalette", "showSettingsMenu", "goToNextError", "goToPreviousError"]);
    editor.on("change", () => {
      field.value = editor.getValue();
      field.dispatchEvent(new Event("input", { bubbles: true }));
    });
    editor.on("blur", () => field.dispatchEvent(new FocusEvent("focusout", { bubbles: true })));
    if (document.activeElement === field) {
      editor.focus();
      editor.moveCursorToPosition(editor.session.doc.indexToPosition(field.selectionStart));
    }
    field.hidden = true;
    // For flow_editing.js, which inserts expressions.
    field.codeEditor = editor;
    letTabLeave(place);
    describe(field, editor, place);
  };
  document.addEventListener("htmx:load", (event) => {
    // Without the editor's files the field stays as it is.
    for (const field of event.target.querySelectorAll?.("textarea[data-code]") ?? []) begin(field).catch(() => {});
  });
})();
