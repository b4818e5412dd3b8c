/* What a download is for goes into the links to single files too. Without this script they keep the last choice. */
(function () {
  "use strict";
  const choice = document.querySelector("select[data-dinamis-theme]");
  if (!choice) return;

  function tell() {
    for (const link of document.querySelectorAll("a[data-dinamis-file]")) {
      const url = new URL(link.href);
      if (choice.value) url.searchParams.set("theme", choice.value);
      else url.searchParams.delete("theme");
      link.href = url.href;
    }
  }

  choice.addEventListener("change", tell);
  // A browser that comes back to the page keeps the choice, but not the links.
  window.addEventListener("pageshow", tell);
})();
