/* The decision about what is held. */
(function () {
  "use strict";
  // A decision counts while ticks change; Keep unticks its row without a round trip.
  const decision = document.getElementById("decision");
  if (decision) {
    const boxes = [...decision.querySelectorAll("input[name=ticked]")];
    const count = () => {
      const ticked = boxes.filter((box) => box.checked).length;
      const tally = { lose: Number(decision.dataset.lose) + ticked, stay: Number(decision.dataset.stay) + boxes.length - ticked };
      decision.querySelectorAll("[data-tally]").forEach((place) => { place.textContent = tally[place.dataset.tally]; });
    };
    decision.addEventListener("change", count);
    decision.addEventListener("click", (event) => {
      const button = event.target.closest("[data-untick]");
      if (!button) return;
      event.preventDefault();
      const box = document.getElementById(button.dataset.untick);
      box.checked = false;
      box.focus();
      count();
    });
    count();
  }
})();
