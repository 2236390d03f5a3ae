/* Links without full reloads: the next page takes the place of this one, as with htmx's boosted links; of another page of a list, its
   results do, and the frame and the filters stay.

   Forms are the browser's, and nothing is kept in a cache: going back asks for the page again. Whole documents are loaded where the browser
   does better: to and from pages with scripts of their own (their first state belongs to them), to files, to accounts and administration,
   and from a page on which something was typed, so that the browser's own history has it when the person comes back. */
"use strict";
(() => {
  const root = document.documentElement;
  const WHOLE = /^\/(accounts|admin|static|preferences)\/|\/launch\/|\/(export|file|download)s?\//;

  const isChanged = (control) => {
    if (control.matches("[type=hidden], [type=submit], [type=button]")) return false;
    if (control.matches("[type=checkbox], [type=radio]")) return control.checked !== control.defaultChecked;
    if (!control.matches("select")) return control.value !== control.defaultValue;
    const first = control.multiple || [...control.options].some((option) => option.defaultSelected) ? -1 : 0;
    return [...control.options].some((option, place) => option.selected !== (option.defaultSelected || place === first));
  };
  const hasTyped = () => [...document.querySelectorAll("main :is(input, textarea, select)")].some(isChanged);

  // --- Before the form of a step is left with unsaved changes, the browser asks; not if it is submitted, or cancelled by its own link.
  let leaving = false;
  const isUnsaved = (form) => "unsaved" in form.dataset || [...form.querySelectorAll("input, textarea:not(.ace_text-input), select")].some(isChanged);
  const unsavedForms = () => [...document.querySelectorAll("#action.flow-editor-panel form[method=post]")].filter(isUnsaved);
  window.addEventListener("beforeunload", (event) => {
    if (!leaving && unsavedForms().length) event.preventDefault();
  });
  window.addEventListener("pageshow", () => { leaving = false; });
  document.addEventListener("submit", (event) => {
    if (!event.defaultPrevented && unsavedForms().every((form) => form === event.target)) leaving = true;
  });
  document.addEventListener("htmx:beforeOnLoad", ({ detail }) => {
    const leads = ["HX-Redirect", "HX-Refresh"].some((name) => detail.xhr.getResponseHeader(name));
    if (detail.target?.id === "action" && detail.requestConfig.verb === "post" && leads) leaving = true;
  });
  document.addEventListener("click", (event) => {
    if (!event.target.closest?.("#action [data-back]")) return;
    leaving = true;
    // It may lead to another panel of this page.
    setTimeout(() => { leaving = false; }, 1000);
  });
  const OWN_SCRIPT = "<script data-own ";
  const PAGE = { target: "body", swap: "innerHTML show:window:top", headers: { "HX-Boosted": "true" } };
  const PAGE_OF_LIST = { target: "#results", swap: "outerHTML show:window:top" };

  // --- Beside the diagram of a flow's steps: what a link with [data-panel] leads to takes the place of the panel, with its own address. The
  // step that the panel is about is marked in the diagram.
  const isPanelLink = (link) => link.matches("[data-panel]") && document.querySelector(".flow-editor #action") && !hasTyped() && (link.matches("[data-back]") || !unsavedForms().length);
  let opener = null;
  const openPanel = (link, href) => {
    // Its second look would replace the panel, too.
    htmx.findAll("[data-late]").forEach((late) => { htmx.trigger(late, "htmx:abort"); });
    const options = { source: "#action", target: "#action", swap: "outerHTML", push: "true" };
    // The panel without a step is a part of the flow's page.
    const chosen = document.getElementById("action").dataset.step;
    const closes = href.endsWith("?tab=steps");
    if (closes) options.select = "#action";
    if (link.closest(".diagram")) opener = link;
    const focus = () => { if (closes) (boxes().find((box) => chosen && box.dataset.step === chosen) ?? opener)?.focus(); };
    htmx.ajax("GET", href, options).then(focus, () => {});
  };
  const boxes = () => [...document.querySelectorAll(".diagram a[data-step]")];
  // A form whose fields need a script that this page does not have is loaded by the browser.
  document.addEventListener("htmx:beforeOnLoad", (event) => {
    const { target, xhr, requestConfig } = event.detail;
    if (target?.id !== "action" || requestConfig.verb !== "get" || !/ data-(values|code)=/.test(xhr.response) || document.getElementById("values-dialog")) return;
    event.preventDefault();
    location.assign(requestConfig.path);
  });
  const markStep = () => {
    const panel = document.querySelector("#action[data-step]");
    if (!panel) return;
    for (const link of document.querySelectorAll("a[data-step]")) {
      if (link.dataset.step !== panel.dataset.step) link.removeAttribute("aria-current");
      else link.setAttribute("aria-current", "true");
    }
    const box = document.querySelector(".flow-editor .diagram");
    // Without a chosen step, the first one is in the middle at first.
    const marked = box?.querySelector("[aria-current]") ?? (box?.scrollLeft ? null : box?.querySelector("a"));
    if (!marked) return;
    const [place, frame] = [marked.getBoundingClientRect(), box.getBoundingClientRect()];
    const isSeen = place.top >= frame.top && place.bottom <= frame.bottom && place.left >= frame.left && place.right <= frame.right;
    if (!isSeen) box.scrollBy(place.left + place.width / 2 - frame.left - frame.width / 2, place.top + place.height / 2 - frame.top - frame.height / 2);
  };
  for (const name of ["DOMContentLoaded", "htmx:afterSettle", "htmx:historyRestore"]) document.addEventListener(name, markStep);
  // The arrows lead from a box to the nearest one on that side.
  const SIDES = { ArrowDown: [0, 1], ArrowUp: [0, -1], ArrowRight: [1, 0], ArrowLeft: [-1, 0] };
  document.addEventListener("keydown", (event) => {
    const [box, side] = [event.target.closest?.(".diagram a"), SIDES[event.key]];
    if (!box || !side || event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
    const middle = (one) => {
      const { x, y, width, height } = one.getBoundingClientRect();
      return [x + width / 2, y + height / 2];
    };
    const [x, y] = middle(box);
    const away = (one) => {
      const [right, down] = [middle(one)[0] - x, middle(one)[1] - y];
      const [ahead, aside] = side[0] ? [right * side[0], Math.abs(down)] : [down * side[1], Math.abs(right)];
      return ahead > 1 ? ahead + 3 * aside : Infinity;
    };
    const [nearest] = boxes().filter((one) => one !== box).map((one) => [away(one), one]).sort(([one], [other]) => one - other);
    event.preventDefault();
    if (nearest && nearest[0] < Infinity) nearest[1].focus();
  });
  // Escape leads from a form to what it was chosen from, and from a step back to its box, with nothing chosen.
  document.addEventListener("keydown", (event) => {
    const panel = document.querySelector(".flow-editor #action");
    if (event.key !== "Escape" || event.defaultPrevented || !panel?.contains(event.target) || document.querySelector("details.menu[open], dialog[open]")) return;
    // In the editor of code, Escape lets Tab leave it; what was typed is not left behind.
    if (event.target.closest(".code-editor, textarea") || hasTyped()) return;
    const back = panel.querySelector("[data-back]") ?? panel.querySelector("[data-close]");
    if (back) back.click();
    else document.querySelector(".diagram [aria-current]")?.focus();
  });

  // --- Which links: those of this console that nothing else has dealt with. The request is the body's, which no swap takes away.
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href]");
    const isPlain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
    if (!link || !isPlain || event.defaultPrevented || !document.getElementById("sidebar")) return;
    const href = link.getAttribute("href");
    if (isPanelLink(link)) {
      event.preventDefault();
      openPanel(link, href);
      return;
    }
    if (!href || href.startsWith("#") || link.origin !== location.origin || link.target || link.hasAttribute("download")) return;
    if (WHOLE.test(link.pathname) || document.querySelector("script[data-own]") || hasTyped()) return;
    event.preventDefault();
    htmx.trigger(document.body, "htmx:abort");
    const options = { source: document.body, push: "true", ...(link.closest("#results .pager") ? PAGE_OF_LIST : PAGE) };
    // The promise is rejected when another link is followed meanwhile; failures are htmx's events.
    htmx.ajax("GET", link.pathname + link.search + link.hash, options).catch(() => {});
  });

  // --- The answer is a page, errors included; a file, or a page with scripts of its own, is for the browser.
  const isBoosted = (detail) => "HX-Boosted" in (detail.requestConfig?.headers ?? {});
  const isLink = (detail) => detail.requestConfig?.elt === document.body;
  // Where an answer to a link is being swapped in: "body", "results", or "".
  let swapping = "";
  document.addEventListener("htmx:beforeRequest", ({ detail }) => {
    if (isLink(detail)) root.classList.add("going");
    // A filter or another order takes the place of the page of the list that is on its way.
    else if (detail.target?.id === "results" && !detail.elt.matches("[data-late], [data-live]")) htmx.trigger(document.body, "htmx:abort");
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    if (isLink(event.detail)) root.classList.remove("going");
  });
  document.addEventListener("htmx:timeout", (event) => {
    if (isLink(event.detail)) location.assign(event.detail.requestConfig.path);
  });
  document.addEventListener("htmx:beforeOnLoad", (event) => {
    const { xhr, requestConfig } = event.detail;
    if (!isBoosted(event.detail)) return;
    const isPage = xhr.getResponseHeader("Content-Type")?.startsWith("text/html") && !xhr.getResponseHeader("Content-Disposition");
    if (isPage && !xhr.response.includes(OWN_SCRIPT)) return;
    event.preventDefault();
    location.assign(xhr.responseURL || requestConfig.path);
  });
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (!isLink(event.detail)) return;
    if (isBoosted(event.detail)) Object.assign(event.detail, { target: document.body, shouldSwap: true, isError: false });
    // An error is shown among the alerts.
    else if (event.detail.target.id !== "results") return;
    remember();
    swapping = isBoosted(event.detail) ? "body" : "results";
  });

  // --- After the swap: the heading has the focus; the title is announced, of a list which rows it shows. Back finds the place where the
  // person was.
  const scrolls = new Map();
  let here = location.href;
  let restoring = false;
  const remember = () => scrolls.set(here, window.scrollY);
  window.addEventListener("scroll", () => { if (!restoring) remember(); }, { passive: true });
  document.addEventListener("htmx:pushedIntoHistory", () => { here = location.href; });
  document.addEventListener("htmx:replacedInHistory", () => { here = location.href; });
  const withoutHash = (url) => url.split("#")[0];
  // (Registered before htmx's own.)
  window.addEventListener("popstate", (event) => {
    if (withoutHash(location.href) === withoutHash(here)) {
      event.stopImmediatePropagation();
      here = location.href;
      return;
    }
    restoring = true;
    if (hasTyped()) drafts.set(here, typed());
  });

  // --- What was typed on a page that the browser's own buttons left; in this document's memory, and no secrets.
  const drafts = new Map();
  const typedControls = () => [...document.querySelectorAll("main form :is(input, textarea, select)[name]:not([type=hidden], [type=password], [type=file], [data-secrets] *)")];
  const typed = (controls = typedControls()) => controls.map((control) => [control.name, control.value, control.checked]);
  const retype = (draft, controls = typedControls()) => {
    // A form with other fields, or in another order, was changed meanwhile.
    if (!draft || draft.length !== controls.length || controls.some((control, place) => control.name !== draft[place][0])) return;
    controls.forEach((control, place) => {
      const [, value, checked] = draft[place];
      // The times until which a launch is kept are others a minute later.
      if (control.options && ![...control.options].some((option) => option.value === value)) return;
      [control.value, control.checked] = [value, checked];
    });
    controls[0]?.dispatchEvent(new Event("change", { bubbles: true }));
  };
  // The browser stores no page of a signed-in person, so what was typed into the forms of one that it left is in this tab's storage until the
  // person signs out: for going back and a reload; in a launch form also for another language and the form's other tab. As in browsers, what is
  // typed into fields without autocompletion is left out, except in launch forms.
  const DRAFT = "draft:";
  const OWN_DRAFT = `${DRAFT}${root.dataset.user}:`;
  const NOT_STORED = ":is([autocomplete=off], [autocomplete$=-password], [autocomplete=one-time-code], [autocomplete=off] *)";
  const isLaunchForm = () => document.querySelector("form[data-launch-form]") !== null;
  const storedControls = () => typedControls().filter((control) => isLaunchForm() || (control.matches("form[method=post] *") && !control.matches(NOT_STORED)));
  const isRestored = () => ["back_forward", "reload"].includes(performance.getEntriesByType("navigation")[0]?.type);
  const isReturn = () => {
    if (isRestored()) return true;
    return isLaunchForm() && document.referrer !== "" && new URL(document.referrer).pathname === location.pathname;
  };
  // A refused form is the response to a POST, which a browser could only repeat to show it again: its entry in the history becomes that of
  // the form.
  const postsHere = (form) => new URL(form.getAttribute("action") || location.href, location.href).href === location.href;
  const refused = "posted" in root.dataset && [...document.querySelectorAll("main form[method=post]")].some(postsHere) ? here : "";
  if (refused) history.replaceState(history.state, "");
  // A link to the very page that is open, as that to an earlier launch, asks for its own values.
  let opensAgain = false;
  document.addEventListener("click", (event) => { opensAgain = event.target.closest?.("a[href]")?.href === location.href; }, true);
  window.addEventListener("pagehide", () => {
    if (opensAgain || !root.dataset.user) return;
    const controls = storedControls();
    const isFilled = controls.some(isChanged) || refused === here || (isLaunchForm() && document.getElementById("form-problems"));
    if (controls.length && isFilled) sessionStorage.setItem(OWN_DRAFT + here, JSON.stringify(typed(controls)));
    else sessionStorage.removeItem(OWN_DRAFT + here);
  });
  // Browsers restore what was typed even into a page that they did not store, also if another person has signed in since: each entry of the
  // history says whose it is, and the forms of another person's are reset.
  const isOwn = () => history.state?.user === root.dataset.user;
  const own = () => { if (!isOwn()) history.replaceState({ ...history.state, user: root.dataset.user }, ""); };
  for (const name of ["htmx:pushedIntoHistory", "htmx:replacedInHistory"]) document.addEventListener(name, own);
  const restore = () => {
    if (isRestored() && !isOwn()) for (const form of document.forms) form.reset();
    own();
    const draft = sessionStorage.getItem(OWN_DRAFT + here);
    sessionStorage.removeItem(OWN_DRAFT + here);
    if (draft && isReturn()) retype(JSON.parse(draft), storedControls());
  };
  window.addEventListener("load", () => {
    // Of somebody who signed out, or was replaced by another person.
    for (const key of Object.keys(sessionStorage)) if (key.startsWith(DRAFT) && !key.startsWith(OWN_DRAFT)) sessionStorage.removeItem(key);
    // Chromium restores after this event.
    if (root.dataset.user) setTimeout(restore);
  });

  // --- A page that the browser kept with its scripts (in its back/forward cache) is hidden while it is kept, and loaded again when it is
  // shown: the session may have ended meanwhile.
  window.addEventListener("pagehide", (event) => { root.hidden = event.persisted; });
  window.addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
  const arrive = (words = document.title) => {
    here = location.href;
    restoring = false;
    const heading = document.querySelector("main [data-focus], main [aria-invalid=true], main [autofocus]") ?? document.querySelector("h1");
    if (heading?.matches("h1")) heading.tabIndex = -1;
    heading?.focus({ preventScroll: true });
    if (location.hash) document.getElementById(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView();
    setTimeout(() => {
      const announcer = document.getElementById("announcer");
      if (announcer) announcer.textContent = words;
    }, 100);
    document.dispatchEvent(new Event("page:arrived"));
  };
  document.addEventListener("htmx:afterSettle", () => {
    if (swapping === "body") arrive();
    if (swapping === "results") arrive(document.querySelector("[data-range]")?.textContent);
    swapping = "";
  });
  document.addEventListener("htmx:historyRestore", () => {
    const top = scrolls.get(location.href) ?? 0;
    arrive();
    retype(drafts.get(here));
    window.scrollTo(0, top);
  });
  // What htmx does not restore, the browser loads: an error page, a page with scripts of its own, nothing at all.
  document.addEventListener("htmx:historyCacheMiss", (event) => event.detail.xhr.addEventListener("error", () => location.reload()));
  document.addEventListener("htmx:historyCacheMissLoadError", () => location.reload());
  document.addEventListener("htmx:historyCacheMissLoad", (event) => {
    if (event.detail.response.includes(OWN_SCRIPT)) location.reload();
  });
})();
