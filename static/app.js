/* What the console's pages do beyond HTML and htmx. Loaded in the head, so that the theme is right before anything is painted;
   listens on the document, so that nothing has to be set up again after a fragment was replaced. */
"use strict";
(() => {
  const root = document.documentElement;
  root.classList.remove("no-js");

  const remember = (name, value) => {
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `${name}=${value}; Path=/; Max-Age=${value ? 31536000 : 0}; SameSite=Lax${secure}`;
  };

  // --- Theme: the server writes the chosen one; without a choice the browser's own wish holds.
  const browserTheme = () => (window.matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  if (!root.dataset.bsTheme) root.dataset.bsTheme = browserTheme();
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("[data-theme-switch]") || !event.submitter) return;
    event.preventDefault();
    const theme = event.submitter.value;
    root.dataset.bsTheme = theme || browserTheme();
    remember("theme", theme);
    for (const button of form.querySelectorAll("[name=theme]")) button.ariaPressed = String(button === event.submitter);
  });

  // --- The main menu: groups stay folded, and icons alone stay alone, on the next page too. On a narrow screen it lies over the page.
  document.addEventListener("click", (event) => {
    if (!event.target.closest("#sidebar [data-fold] > summary")) return;
    // The fold itself opens or closes after this event.
    setTimeout(() => remember("folded", [...document.querySelectorAll("[data-fold]:not([open])")].map((fold) => fold.dataset.fold).join("-")));
  });
  // --- A fold with a name of its own stays as it was left, on the next page too.
  document.addEventListener("toggle", (event) => {
    if (event.target.matches?.("details[data-kept]")) remember(event.target.dataset.kept, event.target.open ? "1" : "");
  }, true);
  // --- One with an address is kept by the person's account.
  document.addEventListener("click", (event) => {
    const fold = event.target.closest("[data-fold-url] > summary")?.parentElement;
    if (!fold) return;
    const save = () => htmx.ajax("POST", fold.dataset.foldUrl, { source: fold, swap: "none", values: { list: fold.dataset.list, ...(fold.open ? {} : { folded: "1" }) } });
    setTimeout(() => save().catch(() => {}));
  });
  const nameIcons = () => {
    for (const link of document.querySelectorAll("#sidebar li a")) link.title = root.classList.contains("narrow") ? link.textContent.trim() : "";
  };
  const narrowSidebar = (button) => {
    const narrow = root.classList.toggle("narrow");
    button.ariaPressed = String(narrow);
    remember("narrow", narrow ? "1" : "");
    nameIcons();
  };
  const toggleSidebar = (button, open = button.ariaExpanded !== "true") => {
    document.getElementById("sidebar").classList.toggle("show", open);
    button.ariaExpanded = String(open);
    if (open) document.querySelector("#sidebar a").focus();
  };
  const closeSidebar = (event) => {
    const button = document.querySelector("[data-toggle-menu][aria-expanded=true]");
    if (!button || event.target.closest("#sidebar, [data-toggle-menu]")) return;
    toggleSidebar(button, false);
  };

  // --- Menus are <details>: they close on Escape, on a click elsewhere, and when the focus leaves them.
  const closeMenus = (except) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) if (menu !== except) menu.open = false;
  };
  document.addEventListener("click", (event) => {
    closeMenus(event.target.closest("details.menu"));
    closeSidebar(event);
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.dismiss === "toast") button.closest(".toast").remove();
    if ("toggleMenu" in button.dataset) toggleSidebar(button);
    if ("narrowMenu" in button.dataset) narrowSidebar(button);
    if (button.dataset.copy) copy(button);
    if ("print" in button.dataset) window.print();
  });
  document.addEventListener("focusin", (event) => closeMenus(event.target.closest("details.menu")));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const menu = document.querySelector("details.menu[open]");
    if (menu) {
      menu.open = false;
      menu.querySelector("summary").focus();
    } else if (!document.querySelector("dialog[open]")) closePreview();
    const button = document.querySelector("[data-toggle-menu][aria-expanded=true]");
    if (button) {
      toggleSidebar(button, false);
      button.focus();
    }
  });
  // A filter that would open beyond the window's edge opens to the left.
  document.addEventListener("toggle", (event) => {
    const menu = event.target;
    if (!menu.matches?.("details.filter-menu")) return;
    menu.classList.remove("from-right");
    const right = menu.querySelector(".dropdown-menu").getBoundingClientRect().right;
    menu.classList.toggle("from-right", menu.open && right > root.clientWidth);
  }, true);
  // A menu in a row is laid over the table, which would cut it off; it closes when the page moves under it.
  document.addEventListener("toggle", (event) => {
    const menu = event.target;
    if (!menu.matches?.("details.row-menu")) return;
    const list = menu.querySelector(".dropdown-menu");
    list.classList.toggle("placed", menu.open);
    if (!menu.open) return;
    const button = menu.getBoundingClientRect();
    const below = button.bottom + list.offsetHeight < window.innerHeight || button.top < list.offsetHeight;
    list.style.top = `${below ? button.bottom : button.top - list.offsetHeight}px`;
    list.style.left = `${Math.max(8, button.right - list.offsetWidth)}px`;
    list.style.right = "auto";
  }, true);
  document.addEventListener("scroll", (event) => {
    const menu = document.querySelector("details.row-menu[open]");
    if (menu && !menu.contains(event.target)) menu.open = false;
  }, true);

  // --- Search: the dialog opens from its link, by Ctrl K and by "/"; its keys are in a script of its own, loaded when first needed.
  const loaded = new Set();
  const load = (url) => {
    if (loaded.has(url)) return;
    loaded.add(url);
    const script = document.createElement("script");
    script.src = url;
    document.head.append(script);
  };
  const openSearch = () => {
    const dialog = document.getElementById("search");
    if (!dialog || dialog.open) return Boolean(dialog);
    load(dialog.dataset.script);
    dialog.showModal();
    const input = dialog.querySelector("input");
    input.select();
    htmx.trigger(input, "open");
    return true;
  };
  document.addEventListener("click", (event) => {
    const plainClick = !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
    if (event.target.closest("[data-search]") && plainClick && openSearch()) event.preventDefault();
  });
  const isTyping = (element) => Boolean(element.matches?.("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]"));
  // Keys of one letter can be turned off: speech input types letters that nobody meant as commands.
  const KEYS_OFF = "console-keys-off";
  const keysAreOff = () => localStorage.getItem(KEYS_OFF) === "yes";
  const openKeys = () => {
    const dialog = document.getElementById("keys");
    if (!dialog || document.querySelector("dialog[open]")) return;
    dialog.querySelector("[data-keys-off]").checked = keysAreOff();
    dialog.showModal();
  };
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-keys]")) openKeys();
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-keys-off]")) localStorage.setItem(KEYS_OFF, event.target.checked ? "yes" : "no");
  });
  document.addEventListener("keydown", (event) => {
    const typing = isTyping(event.target) || keysAreOff();
    if (event.key === "?" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) openKeys();
    const slash = event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey;
    const wanted = slash || (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey);
    if (wanted && !document.querySelector("dialog[open]:not(#search)") && openSearch()) event.preventDefault();
  });

  // --- Copy: the button names the element whose text it takes; the answer is shown on it and announced.
  const copy = async (button) => {
    const text = document.getElementById(button.dataset.copy).textContent;
    try {
      await navigator.clipboard.writeText(text);
      announce(button.dataset.copied);
      button.classList.add("copied");
      setTimeout(() => button.classList.remove("copied"), 2000);
    } catch {
      const range = document.createRange();
      range.selectNodeContents(document.getElementById(button.dataset.copy));
      getSelection().removeAllRanges();
      getSelection().addRange(range);
    }
  };

  // --- Announcements: the words of a live part are read out when they change, and only then.
  let announced = "";
  const announce = (words) => {
    const place = document.getElementById("announcer");
    if (place && words) place.textContent = words;
  };
  const wordsOf = (element) => element?.querySelector?.("[data-announce]")?.textContent.trim().replace(/\s+/g, " ") ?? "";

  // --- Filters: fields without a value stay out of the address.
  document.addEventListener("htmx:configRequest", (event) => {
    // Requests of live parts do not count as activity of the person (web/session_limits.py).
    if (isLive(event.detail.elt)) event.detail.headers["X-Live"] = "1";
    if (event.detail.verb !== "get") return;
    const empty = [...event.detail.formData.entries()].filter(([, value]) => value === "").map(([name]) => name);
    for (const name of empty) event.detail.formData.delete(name);
  });
  // Leaving a search field says "change" after its text was searched for already: a second answer would replace the row that is being clicked.
  document.addEventListener("htmx:beforeRequest", (event) => {
    const form = event.detail.elt;
    if (!form.matches?.("[data-filters]")) return;
    const asked = event.detail.pathInfo.finalRequestPath;
    const repeated = event.detail.requestConfig.triggeringEvent?.type !== "submit" && form.dataset.asked === asked;
    form.dataset.asked = asked;
    if (repeated) event.preventDefault();
  });

  // --- A button that moves away from under the pointer before its release is not clicked: requests that would begin meanwhile, as that of the
  // field that lost the focus, wait for the release.
  let held = [];
  let down = false;
  const isPressed = () => down && document.querySelector(":active") !== null;
  const press = (event) => { if (event.button === 0) down = true; };
  const release = () => {
    down = false;
    const requests = held;
    held = [];
    // The click comes after this event.
    setTimeout(() => requests.forEach((request) => request()));
  };
  document.addEventListener("pointerdown", press, true);
  for (const name of ["pointerup", "pointercancel", "dragend"]) document.addEventListener(name, release, true);
  document.addEventListener("htmx:confirm", (event) => {
    if (!isPressed()) return;
    event.preventDefault();
    held.push(() => event.detail.issueRequest()?.catch(() => {}));
  });
  window.afterPress = (request) => { isPressed() ? held.push(request) : request(); };

  // --- Live parts ([data-live]) rest while the tab is hidden or text in them is selected, and ask more and more seldom while asking
  // fails.
  const trouble = new Map();
  const isLate = (element) => element?.matches?.("[data-late]") ?? false;
  const isLive = (element) => element?.matches?.("[data-live]") ?? false;
  // Whether rows that the person asked for, or another page (navigation.js), are on their way.
  const isReplacing = () => document.querySelector("[hx-target='#results'].htmx-request:not([data-late]), body.htmx-request") !== null;
  document.addEventListener("htmx:beforeOnLoad", (event) => {
    const { elt } = event.detail.requestConfig;
    if (isLive(elt) && (isPressed() || (elt.id === "results" && isReplacing()))) event.preventDefault();
  });
  document.addEventListener("htmx:beforeRequest", (event) => {
    const live = event.detail.elt;
    // The second look at rows that were replaced meanwhile, or are about to be, is of no use; one that arrives below a pressed button is
    // taken again after its release. (Events of what is gone do not come up to the document.)
    if (isLate(live)) {
      live.addEventListener("htmx:beforeOnLoad", (answer) => {
        const pressed = live.isConnected && !isReplacing() && isPressed();
        if (!live.isConnected || isReplacing() || pressed) answer.preventDefault();
        const target = live.getAttribute("hx-target");
        if (pressed) held.push(() => live.isConnected && htmx.ajax("GET", live.getAttribute("hx-get"), { source: live, target, swap: "outerHTML" }).catch(() => {}));
      }, { once: true });
    }
    if (!isLive(live)) return;
    const state = trouble.get(live.id);
    const selection = getSelection();
    const selecting = !selection.isCollapsed && live.contains(selection.anchorNode);
    if (document.hidden || selecting || (state && state.rest-- > 0)) event.preventDefault();
    announced = announced || wordsOf(live);
  });
  let failedAt = 0;
  document.addEventListener("htmx:beforeSend", (event) => { event.detail.xhr.begun = performance.now(); });
  document.addEventListener("htmx:afterRequest", (event) => {
    const live = event.detail.elt;
    const status = event.detail.xhr?.status ?? 0;
    if (status >= 200 && status < 400) {
      trouble.delete(live.id);
      // An answer to a request from before the failure does not clear it.
      const isLater = event.detail.xhr.begun > failedAt;
      if (isLater && document.querySelector("#alerts [data-passing]")) document.getElementById("alerts").replaceChildren();
    } else if (isLive(live) && event.detail.xhr) {
      const failures = (trouble.get(live.id)?.failures ?? 0) + 1;
      trouble.set(live.id, { failures, rest: Math.min(2 ** failures - 1, 31) });
    }
  });
  // What went wrong is in view for the person who pressed a button at the end of a long form.
  const showAlerts = (detail) => {
    if (["click", "submit"].includes(detail.requestConfig?.triggeringEvent?.type)) document.getElementById("alerts").scrollIntoView({ block: "nearest" });
  };
  document.addEventListener("htmx:sendError", (event) => {
    const alerts = document.getElementById("alerts");
    const words = document.getElementById("unreachable");
    if (!alerts || !words) return;
    alerts.replaceChildren(words.content.cloneNode(true));
    failedAt = performance.now();
    showAlerts(event.detail);
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target?.id !== "alerts") return;
    failedAt = performance.now();
    showAlerts(event.detail);
  });

  // --- Rows of a list that are ticked: the bar that says how many, and what to do with them, takes the place of the filters (app.css).
  const ticks = () => [...document.querySelectorAll("input[data-tick]")];
  const updateTicks = () => {
    const words = document.querySelector("[data-ticked]");
    if (!words) return;
    const rows = ticks();
    const number = rows.filter((row) => row.checked).length;
    const page = document.querySelector("[data-tick-page]");
    page.checked = number > 0 && number === rows.length;
    page.indeterminate = number > 0 && number < rows.length;
    const text = number === 1 ? words.dataset.one : words.dataset.many.replace("#", number);
    if (words.textContent !== text) words.textContent = text;
  };
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-tick-page]")) for (const row of ticks()) row.checked = event.target.checked;
    if (event.target.matches("[data-tick], [data-tick-page], [data-tick-everything]")) {
      updateTicks();
      announce(document.querySelector("[data-ticked]").textContent);
    }
  });
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-tick-none]")) return;
    for (const box of document.querySelectorAll("[data-tick], [data-tick-everything]")) box.checked = false;
    updateTicks();
    document.querySelector("[data-tick-page]").focus();
  });
  // With the focus on a row's link or box, j, k and the arrows lead to those of its neighbours, and x or the space bar ticks the row; Enter
  // follows the link, as everywhere. With the focus elsewhere, j and k lead to the first and the last row.
  document.addEventListener("keydown", (event) => {
    const at = event.target;
    if (isTyping(at) || keysAreOff() || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || document.querySelector("dialog[open]")) return;
    const focused = at.matches?.("a, [data-tick]") && !at.closest("details") ? at.closest(".list-table tbody tr") : null;
    // In the preview, its row is the one to go on from.
    const row = focused ?? (at.closest?.("#preview") ? document.querySelector("tr.previewed") : null);
    const down = event.key === "j" || (focused && event.key === "ArrowDown");
    const up = event.key === "k" || (focused && event.key === "ArrowUp");
    const box = row?.querySelector("[data-tick]");
    const link = row?.querySelector("[data-preview]");
    if (down || up) {
      const rows = document.querySelector(".list-table tbody")?.rows ?? [];
      const next = row ? (down ? row.nextElementSibling : row.previousElementSibling) : rows[down ? 0 : rows.length - 1];
      const goal = next?.querySelector(box && at === box ? "[data-tick]" : "td.first a") ?? next?.querySelector("a, [data-tick]");
      if (!goal) return;
      goal.focus();
      followPreview(next);
    } else if (link && event.key === "p") {
      link.click();
    } else if (box && (event.key === "x" || (focused && event.key === " " && at !== box))) {
      box.click();
    } else return;
    event.preventDefault();
  });
  // --- A preview beside the list (#preview, open with [data-show]) comes by the link of its row ([data-preview]), by a click on the row where
  // nothing else is, and by p; again, it closes. It follows j and k, and outlives a refresh, but not rows without its own.
  const preview = () => document.querySelector("#preview[data-show]");
  const previewLinks = () => [...document.querySelectorAll("[data-preview]")];
  const noteAddress = (show) => {
    const url = new URL(location.href);
    if (show) url.searchParams.set("show", show);
    else url.searchParams.delete("show");
    if (url.href === location.href) return;
    history.replaceState(history.state, "", url);
    htmx.trigger(document.body, "htmx:replacedInHistory");
  };
  const markPreviewed = () => {
    for (const link of previewLinks()) link.closest("tr").classList.toggle("previewed", link.dataset.preview === preview()?.dataset.show);
  };
  const closePreview = () => {
    const pane = preview();
    if (!pane) return;
    const row = previewLinks().find((link) => link.dataset.preview === pane.dataset.show)?.closest("tr");
    if (pane.contains(document.activeElement) || document.activeElement === document.body) row?.querySelector("td.first a")?.focus();
    pane.replaceChildren();
    pane.hidden = true;
    pane.removeAttribute("data-show");
    noteAddress("");
    markPreviewed();
  };
  let following = 0;
  const followPreview = (row) => {
    const link = preview() ? row.querySelector("[data-preview]") : null;
    clearTimeout(following);
    if (link) following = setTimeout(() => { if (link.isConnected && preview() && preview().dataset.show !== link.dataset.preview) link.click(); }, 150);
  };
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-close-preview]")) {
      event.preventDefault();
      closePreview();
    } else if (!event.target.closest("a, button, input, label, summary, select, details") && getSelection().isCollapsed) {
      const row = event.target.closest(".list-table tbody tr");
      const link = row?.querySelector("[data-preview]");
      if (!link) return;
      row.querySelector("td.first a")?.focus({ preventScroll: true });
      link.click();
    }
  });
  document.addEventListener("htmx:confirm", (event) => {
    const link = event.detail.elt;
    if (!link.matches("[data-preview]") || link.dataset.preview !== preview()?.dataset.show) return;
    event.preventDefault();
    closePreview();
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    const { target, requestConfig } = event.detail;
    if (target?.id === "preview" && window.matchMedia("(max-width: 991.98px)").matches) preview()?.querySelector("[data-close-preview]")?.focus();
    if (target?.id === "results" && preview() && !isLive(requestConfig?.elt) && !isLate(requestConfig?.elt)) {
      if (previewLinks().some((link) => link.dataset.preview === preview().dataset.show)) noteAddress(preview().dataset.show);
      else closePreview();
    }
    markPreviewed();
  });
  for (const name of ["DOMContentLoaded", "page:arrived"]) document.addEventListener(name, markPreviewed);
  // A table that is wider than its place scrolls in it, and its headings with it; others let the headings stay in view (app.css).
  const fitTables = () => {
    for (const table of document.querySelectorAll(".list-table")) {
      table.classList.remove("many");
      table.classList.toggle("many", table.scrollWidth > table.clientWidth);
    }
  };
  for (const name of ["DOMContentLoaded", "htmx:afterSettle", "htmx:historyRestore"]) document.addEventListener(name, fitTables);
  window.addEventListener("resize", fitTables);
  // What a row has no room for is its tooltip.
  document.addEventListener("mouseover", (event) => {
    const cell = event.target.closest?.(".list-table td");
    if (cell && !cell.title && cell.scrollWidth > cell.clientWidth) cell.title = cell.innerText.trim();
  });
  window.addEventListener("pageshow", updateTicks);
  document.addEventListener("htmx:historyRestore", updateTicks);

  // --- A replaced part keeps what the person had opened and ticked in it, how far they had scrolled inside it, and the focus on a fold. (htmx
  // itself keeps the focus of elements with an id.)
  const emptyPageState = () => ({ open: new Map(), scrolled: new Map(), across: 0, fold: "", focus: "", ticked: new Set(), typed: new Map(), everything: false });
  const alike = (element) => [element.tagName, element.getAttribute("href"), element.getAttribute("aria-label"), element.textContent.trim()].join(" ");
  let pageState = emptyPageState();
  // Whether the last answer was the second look at a list ([data-late]), which announces nothing.
  let late = false;
  document.addEventListener("htmx:beforeSwap", (event) => {
    const target = event.detail.target;
    if (!target?.querySelectorAll || "HX-Boosted" in (event.detail.requestConfig?.headers ?? {})) return;
    const focused = document.activeElement;
    late = isLate(event.detail.requestConfig?.elt);
    pageState = {
      open: new Map([...target.querySelectorAll("details[id]")].map((fold) => [fold.id, fold.open])),
      scrolled: new Map([...target.querySelectorAll("pre[id]")].map((text) => [text.id, text.scrollTop])),
      across: target.querySelector(".table-responsive")?.scrollLeft ?? 0,
      fold: focused?.matches("summary") && target.contains(focused) ? focused.parentElement.id : "",
      focus: focused && focused !== target && !focused.id && target.contains(focused) ? alike(focused) : "",
      typed: new Map([...target.querySelectorAll("details.menu[open] input[id]")].map((field) => [field.id, field])),
      ticked: new Set([...target.querySelectorAll("input[data-tick]:checked")].map((row) => row.value)),
      // "Everything that matches" is another thing with other filters: it outlives only another look at the same list.
      everything: (late || event.detail.requestConfig?.elt?.id === "refresh") && target.querySelector("[data-tick-everything]:checked") !== null,
    };
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    for (const [id, open] of pageState.open) {
      const fold = document.getElementById(id);
      if (fold) fold.open = open;
    }
    for (const [id, before] of pageState.typed) {
      const field = document.getElementById(id);
      if (field) [field.value, field.checked] = [before.value, before.checked];
    }
    for (const [id, top] of pageState.scrolled) {
      const text = document.getElementById(id);
      if (text) text.scrollTop = top;
    }
    if (pageState.fold) document.getElementById(pageState.fold)?.querySelector("summary")?.focus({ preventScroll: true });
    for (const row of ticks()) if (pageState.ticked.has(row.value)) row.checked = true;
    const everything = pageState.everything ? document.querySelector("[data-tick-everything]") : null;
    if (everything) everything.checked = true;
    updateTicks();
    const target = document.getElementById(event.detail.target?.id) ?? event.detail.elt;
    const table = pageState.across ? target.querySelector?.(".table-responsive") : null;
    if (table) table.scrollLeft = pageState.across;
    if (pageState.focus && !pageState.fold) {
      [...(target.querySelectorAll?.("a, button, summary") ?? [])].find((one) => alike(one) === pageState.focus)?.focus({ preventScroll: true });
    }
    // What was added by a button, and what went wrong, is where the person goes on.
    (target.querySelector?.("[data-focus]") ?? target.querySelector?.('[aria-invalid="true"]'))?.focus();
    pageState = emptyPageState();
    const words = wordsOf(target);
    if (words && words !== announced && !late) {
      announced = words;
      announce(words);
    }
  });
  // Choices of a filter that come afterwards keep what the person has chosen meanwhile; a menu keeps open, with the focus in it.
  let keptFocus = "";
  document.addEventListener("htmx:oobBeforeSwap", (event) => {
    const { target, fragment } = event.detail;
    const coming = fragment?.querySelector("select");
    if (target?.matches?.("select") && coming) coming.value = target.value;
    const open = target?.querySelector?.("details.menu[open]");
    const menu = open && fragment?.querySelector("details.menu");
    if (menu) menu.open = true;
    keptFocus = menu && open.contains(document.activeElement) ? alike(document.activeElement) : "";
  });
  document.addEventListener("htmx:oobAfterSwap", () => {
    const places = document.querySelectorAll("details.menu[open] :is(a, button, summary)");
    if (keptFocus) [...places].find((one) => alike(one) === keptFocus)?.focus({ preventScroll: true });
    keptFocus = "";
  });

  // --- Clocks of what is running ([data-elapsed], milliseconds when the page was made) tick, their bars grow towards the usual time.
  const begun = new WeakMap();
  const tick = () => {
    for (const place of document.querySelectorAll("[data-elapsed]")) {
      if (!begun.has(place)) begun.set(place, performance.now() - Number(place.dataset.elapsed));
      const passed = performance.now() - begun.get(place);
      const seconds = Math.floor(passed / 1000);
      const two = (number) => String(number).padStart(2, "0");
      const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
      const text = hours ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
      const clock = place.querySelector("[data-clock]");
      if (clock.textContent !== text) clock.textContent = text;
      const bar = place.querySelector("progress");
      if (bar) bar.value = passed;
      const late = place.querySelector("[data-clock-late]");
      if (late) late.hidden = passed <= Number(place.dataset.usual);
    }
  };
  setInterval(tick, 500);
  document.addEventListener("htmx:load", tick);

  // --- People found by part of a name ([data-person-input]): arrow keys and Enter choose from the list below the field.
  const personField = (element) => element.closest?.("[data-person-input]");
  const offered = (field) => [...field.querySelectorAll("[data-person]")];
  const mark = (field, option) => {
    for (const other of offered(field)) {
      other.setAttribute("aria-selected", String(other === option));
      other.classList.toggle("active", other === option);
    }
    const input = field.querySelector("input");
    if (option) input.setAttribute("aria-activedescendant", option.id);
    else input.removeAttribute("aria-activedescendant");
    option?.scrollIntoView({ block: "nearest" });
  };
  const closePeople = (field) => {
    field.querySelector(".person-suggestions").replaceChildren();
    mark(field, null);
    field.querySelector("input[role]")?.setAttribute("aria-expanded", "false");
  };
  const choosePerson = (field, option) => {
    const input = field.querySelector("input");
    input.value = option.dataset.person;
    closePeople(field);
    input.focus();
  };
  document.addEventListener("focusin", (event) => {
    for (const field of document.querySelectorAll("[data-person-input]")) {
      if (!field.contains(event.target)) closePeople(field);
      else if (event.target.matches("input[hx-get]") && !event.target.hasAttribute("role")) {
        const attributes = { role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": field.querySelector(".person-suggestions").id };
        for (const [name, value] of Object.entries(attributes)) event.target.setAttribute(name, value);
      }
    }
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    const field = event.detail.target?.matches?.(".person-suggestions") ? personField(event.detail.target) : null;
    if (!field) return;
    if (!field.contains(document.activeElement)) return closePeople(field);
    mark(field, null);
    field.querySelector("input").setAttribute("aria-expanded", String(offered(field).length > 0));
  });
  document.addEventListener("keydown", (event) => {
    const field = event.target.matches?.("input[hx-get]") ? personField(event.target) : null;
    const people = field ? offered(field) : [];
    if (!people.length) return;
    const at = people.findIndex((option) => option.getAttribute("aria-selected") === "true");
    if (event.key === "ArrowDown") mark(field, people[(at + 1) % people.length]);
    else if (event.key === "ArrowUp") mark(field, people[(at < 1 ? people.length : at) - 1]);
    else if (event.key === "Enter" && at >= 0) choosePerson(field, people[at]);
    else if (event.key === "Escape") closePeople(field);
    else return;
    event.preventDefault();
  });
  // Before the field loses the focus.
  document.addEventListener("mousedown", (event) => {
    const option = event.target.closest("[data-person]");
    if (!option) return;
    event.preventDefault();
    choosePerson(personField(option), option);
  });

  // --- Logos of apps that could not be fetched leave the initials below them. (Errors of pictures do not come up to the document.)
  document.addEventListener("error", (event) => {
    if (event.target.matches?.("img.app-logo")) event.target.remove();
  }, true);

  const start = () => {
    updateTicks();
    nameIcons();
    for (const toast of document.querySelectorAll('[data-toast="success"], [data-toast="info"]')) {
      setTimeout(() => toast.remove(), 10000);
    }
  };
  document.addEventListener("DOMContentLoaded", start);
  // navigation.js: another page has taken the place of this one.
  document.addEventListener("page:arrived", start);
})();
