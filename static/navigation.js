/* Links without full reloads: the next page takes the place of this one, as with htmx's boosted links.

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
  const OWN_SCRIPT = "<script data-own ";

  // --- Which links: those of this console that nothing else has dealt with. The request is the body's, which no swap takes away.
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href]");
    const isPlain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
    if (!link || !isPlain || event.defaultPrevented || !document.getElementById("sidebar")) return;
    const href = link.getAttribute("href");
    if (!href || href.startsWith("#") || link.origin !== location.origin || link.target || link.hasAttribute("download")) return;
    if (WHOLE.test(link.pathname) || document.querySelector("script[data-own]") || hasTyped()) return;
    event.preventDefault();
    htmx.trigger(document.body, "htmx:abort");
    const headers = { "HX-Boosted": "true" };
    const options = { source: document.body, target: document.body, swap: "innerHTML show:window:top", push: "true", headers };
    // The promise is rejected when another link is followed meanwhile; failures are htmx's events.
    htmx.ajax("GET", link.pathname + link.search + link.hash, options).catch(() => {});
  });

  // --- The answer is a page, errors included; a file, or a page with scripts of its own, is for the browser.
  const isBoosted = (detail) => "HX-Boosted" in (detail.requestConfig?.headers ?? {});
  let swapping = false;
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (isBoosted(event.detail)) root.classList.add("going");
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    if (isBoosted(event.detail)) root.classList.remove("going");
  });
  document.addEventListener("htmx:timeout", (event) => {
    if (isBoosted(event.detail)) location.assign(event.detail.requestConfig.path);
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
    if (!isBoosted(event.detail)) return;
    Object.assign(event.detail, { target: document.body, shouldSwap: true, isError: false });
    remember();
    swapping = true;
  });

  // --- After the swap: the heading has the focus, the title is announced. Back finds the place where the person was.
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
  const typedControls = () => [...document.querySelectorAll("main form :is(input, textarea, select)[name]:not([type=hidden], [type=password], [type=file])")];
  const typed = () => typedControls().map((control) => [control.value, control.checked]);
  const retype = (draft) => {
    const controls = typedControls();
    if (!draft || draft.length !== controls.length) return;
    controls.forEach((control, place) => { [control.value, control.checked] = draft[place]; });
    controls[0]?.dispatchEvent(new Event("change", { bubbles: true }));
  };
  // Of launch forms, which are loaded by the browser and not stored by it, in this tab's storage until the person signs out.
  const DRAFT = "draft:";
  window.addEventListener("pagehide", () => {
    if (document.querySelector("form[data-launch-form]") && hasTyped()) sessionStorage.setItem(DRAFT + here, JSON.stringify(typed()));
  });
  window.addEventListener("load", () => {
    const draft = sessionStorage.getItem(DRAFT + here);
    const isBack = performance.getEntriesByType("navigation")[0]?.type === "back_forward";
    if (document.getElementById("sidebar")) sessionStorage.removeItem(DRAFT + here);
    else for (const key of Object.keys(sessionStorage)) if (key.startsWith(DRAFT)) sessionStorage.removeItem(key);
    if (draft && isBack && document.querySelector("form[data-launch-form]")) retype(JSON.parse(draft));
  });
  const arrive = () => {
    here = location.href;
    restoring = false;
    const heading = document.querySelector("main [data-focus], main [aria-invalid=true], main [autofocus]") ?? document.querySelector("h1");
    if (heading?.matches("h1")) heading.tabIndex = -1;
    heading?.focus({ preventScroll: true });
    if (location.hash) document.getElementById(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView();
    const title = document.title;
    setTimeout(() => {
      const announcer = document.getElementById("announcer");
      if (announcer) announcer.textContent = title;
    }, 100);
    document.dispatchEvent(new Event("page:arrived"));
  };
  document.addEventListener("htmx:afterSettle", () => {
    if (swapping) arrive();
    swapping = false;
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
