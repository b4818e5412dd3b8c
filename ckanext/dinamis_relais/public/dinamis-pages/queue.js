/* The queue by keyboard, and the number of chosen rows. Without this script everything works by Tab and Enter. */
(function () {
  "use strict";
  const table = document.querySelector(".dinamis-queue");
  if (!table) return;
  let at = -1;

  const rows = () => Array.from(table.querySelectorAll("tbody tr"));

  function go(step) {
    const all = rows();
    at = Math.min(Math.max(at + step, 0), all.length - 1);
    all[at].focus({ preventScroll: true });
    all[at].scrollIntoView({ block: "nearest" });
  }

  function press(selector) {
    const row = rows()[at];
    const target = row && row.querySelector(selector);
    if (target) target.click();
  }

  const keys = {
    j: () => go(1),
    k: () => go(-1),
    x: () => press("input[type=checkbox]"),
    v: () => press("[data-key=validate]"),
    r: () => press("[data-key=refuse]"),
    o: () => press("td a"),
    "/": () => document.getElementById("q").focus(),
  };

  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input:not([type=checkbox]), textarea, select");
    if (typing || event.ctrlKey || event.metaKey || event.altKey || !keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  });

  const words = document.querySelector(".dinamis-chosen");
  const plain = words ? words.textContent : "";
  document.addEventListener("change", () => {
    const number = table.querySelectorAll("input[name=ids]:checked").length;
    if (!words) return;
    if (!number) words.textContent = plain;
    else words.textContent = number === 1 ? words.dataset.one : words.dataset.many.replace("{number}", number);
  });
})();
