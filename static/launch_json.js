/* Values that are typed as JSON: says what is wrong with them before they are sent (the server checks again). */
"use strict";
(() => {
  const DEEPEST = 200;

  /* Reads JSON as the server does; throws {at, hint} for a place in the text, {problem} for the whole text. */
  const check = (text, largest) => {
    if (new Blob([text]).size > largest) throw { problem: "large" };
    let at = 0;
    const wrong = (hint, where = at) => {
      throw { at: where, hint };
    };
    const blank = () => {
      while (at < text.length && " \t\n\r".includes(text[at])) at += 1;
      return text[at];
    };
    const string = () => {
      const start = at;
      for (at += 1; text[at] !== '"'; at += 1) {
        if (at >= text.length) wrong("early", start);
        if (text[at] < " ") wrong("control");
        if (text[at] === "\\") {
          at += 1;
          if (text[at] === "u" && /^[0-9a-fA-F]{4}$/.test(text.slice(at + 1, at + 5))) at += 4;
          else if (text[at] === undefined || !'"\\/bfnrt'.includes(text[at])) wrong("escape");
        }
      }
      at += 1;
    };
    const number = () => {
      const found = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/.exec(text.slice(at, at + 5000));
      if (!found) {
        if (/^-?Infinity/.test(text.slice(at, at + 9))) throw { problem: "number" };
        wrong("digits");
      }
      if (!Number.isFinite(Number(found[0])) || found[0].length > 4300) throw { problem: "number" };
      at += found[0].length;
      if (/[0-9.+_]/.test(text[at] ?? "")) wrong("digits");
    };
    const value = (depth) => {
      const first = blank();
      if (first === undefined) wrong("early");
      if (first === '"') return string();
      if (first === "{" || first === "[") {
        if (depth >= DEEPEST) throw { problem: "deep" };
        return first === "{" ? inside("}", depth, true) : inside("]", depth, false);
      }
      if ("0123456789-+.".includes(first)) return number();
      const word = /^\w+/.exec(text.slice(at, at + 40))?.[0] ?? "";
      if (["true", "false", "null"].includes(word)) at += word.length;
      else if (["NaN", "Infinity"].includes(word)) throw { problem: "number" };
      else if (word) wrong("word");
      else wrong("“”„‟’‘«»`'".includes(first) ? "quotes" : "}],:".includes(first) ? "empty" : "syntax");
    };
    const inside = (end, depth, named) => {
      at += 1;
      if (blank() === end) {
        at += 1;
        return;
      }
      for (;;) {
        if (named) {
          const first = blank();
          if (first === undefined) wrong("early");
          if (first !== '"') wrong(first === "}" || first === "," ? "comma" : /[\w“”„‟’‘«»`']/.test(first) ? "quotes" : "syntax");
          string();
          if (blank() === undefined) wrong("early");
          if (text[at] !== ":") wrong("missing");
          at += 1;
        } else if (blank() === end) wrong("comma");
        value(depth + 1);
        const next = blank();
        if (next === undefined) wrong("early");
        if (next !== end && next !== ",") wrong("missing");
        at += 1;
        if (next === end) return;
      }
    };
    if (blank() === undefined) return;
    value(0);
    if (blank() !== undefined) wrong("extra");
  };

  const message = (problem, text) => {
    const words = document.getElementById("json-errors");
    const say = (name) => words.content.querySelector(name)?.textContent ?? "";
    if (problem.problem) return say(`[data-problem="${problem.problem}"]`);
    const before = text.slice(0, problem.at).split("\n");
    const where = say("[data-where]").replace("LINE", before.length).replace("COLUMN", [...before.at(-1)].length + 1);
    return `${where} ${say(`[data-hint="${problem.hint}"]`)}`;
  };

  /* Shows the problem at the field, and returns it; null for valid JSON. */
  const validate = (field) => {
    let problem = null;
    try {
      check(field.value, Number(field.form.dataset.largest));
    } catch (found) {
      problem = found instanceof RangeError ? { problem: "deep" } : found;
      if (problem instanceof Error) throw problem;
    }
    field.classList.toggle("is-invalid", Boolean(problem));
    if (problem) field.setAttribute("aria-invalid", "true");
    else field.removeAttribute("aria-invalid");
    const box = document.getElementById(field.id.replace(/-control$/, "-error"));
    if (box) box.textContent = problem ? message(problem, field.value) : "";
    return problem;
  };

  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-json]")) validate(event.target);
  });
  document.addEventListener("input", (event) => {
    if (event.target.matches("[data-json][aria-invalid]")) validate(event.target);
  });

  /* Before htmx handles the event, which does not validate. */
  document.addEventListener(
    "submit",
    (event) => {
      if (event.submitter?.formNoValidate) return;
      const shown = [...event.target.querySelectorAll("[data-json]")].filter((one) => !one.closest("[hidden]"));
      const field = shown.filter(validate)[0];
      if (!field) return;
      const problem = validate(field);
      const fold = field.closest("details");
      if (fold) fold.open = true;
      event.preventDefault();
      event.stopPropagation();
      field.focus();
      if (problem.at !== undefined) field.setSelectionRange(problem.at, Math.min(problem.at + 1, field.value.length));
    },
    true,
  );
})();
