/* A run that is going on. */
(function () {
  "use strict";
  // A finished phase is told once.
  let phases = "";
  document.addEventListener("htmx:afterSettle", () => {
    const running = document.querySelector(".ls-phase-running .ls-phase-name");
    const now = running ? running.textContent : "";
    if (now && now !== phases) lockstep.say("live", now);
    phases = now || phases;
  });
})();
