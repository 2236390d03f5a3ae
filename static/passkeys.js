/* Says on the page that a passkey was not used; without this the button would seem to do nothing. */
"use strict";
document.addEventListener("allauth.error", (event) => {
  const words = document.getElementById("passkey-failed");
  const alerts = document.getElementById("alerts");
  if (!words || !alerts) return;
  event.preventDefault();
  alerts.replaceChildren(words.content.cloneNode(true));
  alerts.scrollIntoView({ block: "nearest" });
});
