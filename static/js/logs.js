/* Logs: an entry opens beside the table where there is room; n and p go on from there, Escape closes it. */
(function () {
  "use strict";
  const wide = window.matchMedia("(min-width: 1200px)");
  let back = "";

  function follow(link) {
    back = link.dataset.back || "";
    htmx.ajax("GET", link.dataset.panel, { source: link, target: "#log-table", swap: "outerHTML" });
  }
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-panel]");
    const elsewhere = event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey;
    if (!link || elsewhere || !wide.matches) return;
    event.preventDefault();
    follow(link);
  });

  // Only while the focus is in the table or the panel: single keys may mean something else to a reader (WCAG 2.1.4).
  document.addEventListener("keydown", (event) => {
    const inside = event.target.closest("#log-table");
    if (!inside || event.ctrlKey || event.metaKey || event.altKey) return;
    const link = inside.querySelector(`#panel [data-key="${CSS.escape(event.key)}"]`);
    if (!link) return;
    event.preventDefault();
    follow(link);
  });

  // A closed panel gives the focus back to its row.
  document.addEventListener("htmx:afterSettle", () => {
    const row = back && document.getElementById(back);
    back = "";
    if (row) row.focus();
  });

  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-copy-address]")) return;
    navigator.clipboard.writeText(window.location.href);
    lockstep.say("live", document.getElementById("live-alert").dataset.copied);
  });
})();
