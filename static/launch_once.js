/* A launch form is sent once, and its buttons say that it is on its way. */
"use strict";
(() => {
  /* A second click while the first is on its way sends nothing (nor does htmx: hx-sync); what comes back makes the buttons usable again. */
  let sent = false;
  const rested = () => {
    sent = false;
    for (const button of document.querySelectorAll("[data-launch-form] .btn-loading")) button.classList.remove("btn-loading");
  };
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("[data-launch-form]")) return;
    if (sent) return event.preventDefault();
    sent = true;
    (event.submitter?.matches(".visually-hidden") ? form.querySelector(".card-footer [data-launch]") : event.submitter)?.classList.add("btn-loading");
  });
  window.addEventListener("pageshow", rested);
  document.addEventListener("htmx:afterRequest", (event) => {
    const leaves = event.detail.xhr?.getResponseHeader("HX-Redirect");
    if (event.detail.elt?.matches?.("[data-launch-form]") && !leaves) rested();
  });
})();
