// While a person says yes on DINAMIS's page, ask from time to time whether it is done; without this, a button does.
(function () {
  "use strict";
  const form = document.querySelector("form[data-dinamis-wait]");
  if (!form || !window.fetch) return;
  const pause = Math.max(2, Number(form.dataset.dinamisWait) || 5) * 1000;
  const until = Date.parse(form.dataset.dinamisUntil) || Date.now() + 600000;
  async function look() {
    if (Date.now() > until) return window.location.reload();
    try {
      const answer = await fetch(form.action, {
        method: "POST", body: new FormData(form), headers: { Accept: "application/json" }, credentials: "same-origin",
      });
      const found = answer.ok ? await answer.json() : { state: "pending" };
      if (found.state !== "pending") return window.location.assign(form.dataset.dinamisDone);
    } catch (error) {
      // No network for a moment: the next look tells.
    }
    return window.setTimeout(look, pause);
  }
  window.setTimeout(look, pause);
})();
