/* A run that is going on, and the charts of the sync history. */
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

  // A chart draws its own table: columns with a colour become series.
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const drawn = [];

  function colour(card, name) { return getComputedStyle(card).getPropertyValue(`--ls-${name}`).trim(); }
  function number(cell) { return cell.dataset.value === "" ? null : Number(cell.dataset.value); }
  function read(card) {
    const rows = [...card.querySelectorAll("tbody tr")];
    const columns = [...card.querySelectorAll("thead th")].slice(1);
    return {
      labels: rows.map((row) => row.cells[0].firstChild.textContent.trim()),
      marks: rows.flatMap((row, place) => (row.dataset.mark ? [{ place, words: row.dataset.mark }] : [])),
      series: columns.flatMap((column, place) => (column.dataset.colour
        ? [{ ...column.dataset, label: column.textContent, values: rows.map((row) => number(row.cells[place + 1])) }]
        : [])),
    };
  }

  // Stacks read without colour too: failed is hatched, deleted is dotted.
  function fill(name, shade) {
    if (name !== "failed" && name !== "deleted") return shade;
    const tile = document.createElement("canvas");
    tile.width = tile.height = 6;
    const pen = tile.getContext("2d");
    pen.strokeStyle = pen.fillStyle = shade;
    pen.lineWidth = 2;
    if (name === "deleted") { pen.globalAlpha = 0.55; pen.fillRect(0, 0, 6, 6); pen.globalAlpha = 1; pen.fillRect(1, 1, 3, 3); }
    else { pen.globalAlpha = 0.45; pen.fillRect(0, 0, 6, 6); pen.globalAlpha = 1; pen.beginPath(); pen.moveTo(-1, 7); pen.lineTo(7, -1); pen.stroke(); }
    return pen.createPattern(tile, "repeat");
  }
  // `last`: the place of the newest value, which has a dot where there are no others.
  function dataset(card, one, last) {
    const shade = colour(card, `chart-${one.colour}`);
    const common = { label: one.label, data: one.values, borderColor: shade, spanGaps: true };
    if (one.shape === "bar") return { ...common, type: "bar", backgroundColor: fill(one.colour, shade), borderWidth: 0, maxBarThickness: 16 };
    if (one.shape === "dot") return { ...common, type: "line", showLine: false, pointRadius: 3, backgroundColor: shade };
    return { ...common, type: "line", borderWidth: 2, tension: 0, pointRadius: one.values.map((_value, place) => (place === last ? 4 : 0)), backgroundColor: shade };
  }

  function duration(seconds) {
    if (seconds >= 3600) return `${Math.round(seconds / 360) / 10} h`;
    return seconds >= 60 ? `${Math.round(seconds / 6) / 10} min` : `${seconds} s`;
  }
  // Five ticks at most, at times that are said in whole seconds, minutes or hours.
  function step(longest) {
    return [1, 5, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200].find((one) => longest / one <= 5) || 14400;
  }
  // Lines through the plot: published versions upright, the interval across.
  function lines(card, marks) {
    const limit = Number(card.dataset.limit);
    return {
      id: "lines",
      afterDatasetsDraw(chart) {
        const { ctx: pen, chartArea: area, scales } = chart;
        pen.save();
        pen.setLineDash([3, 3]);
        pen.font = `11px ${getComputedStyle(document.body).fontFamily}`;
        pen.fillStyle = pen.strokeStyle = colour(card, "muted");
        marks.forEach((mark) => {
          const x = scales.x.getPixelForValue(mark.place);
          pen.beginPath(); pen.moveTo(x, area.top); pen.lineTo(x, area.bottom); pen.stroke();
          pen.textAlign = x > (area.left + area.right) / 2 ? "right" : "left";
          pen.fillText(mark.words, x, area.top - 4);
        });
        if (limit) {
          const y = scales.y.getPixelForValue(limit);
          pen.fillStyle = pen.strokeStyle = colour(card, "attention");
          pen.beginPath(); pen.moveTo(area.left, y); pen.lineTo(area.right, y); pen.stroke();
          pen.textAlign = "left";
          pen.fillText(card.dataset.limitWords, area.left + 4, y - 4);
        }
        pen.restore();
      },
    };
  }

  function options(card, series, marks) {
    const stacked = series.every((one) => one.shape === "bar");
    const text = colour(card, "muted");
    const font = { size: 11, family: getComputedStyle(document.body).fontFamily };
    const inSeconds = "seconds" in card.dataset;
    const longest = Math.max(Number(card.dataset.limit) || 0, ...series.flatMap((one) => one.values));
    return {
      animation: false, responsive: true, maintainAspectRatio: false, interaction: { mode: "index", intersect: false },
      layout: { padding: { top: marks.length ? 16 : 4 } },
      plugins: { legend: { display: false }, tooltip: { callbacks: inSeconds ? { label: (item) => `${item.dataset.label}: ${duration(item.raw)}` } : {} } },
      scales: {
        x: { stacked, grid: { display: false }, border: { display: false }, ticks: { color: text, font, maxRotation: 0, autoSkip: true, maxTicksLimit: 6 } },
        y: {
          stacked, beginAtZero: stacked || inSeconds, border: { display: false }, grid: { color: colour(card, "divider-soft") },
          suggestedMax: Number(card.dataset.limit) || undefined,
          ticks: { color: text, font, maxTicksLimit: 5, ...(inSeconds ? { stepSize: step(longest), callback: duration } : { precision: 0 }) },
        },
      },
    };
  }
  function draw(card) {
    const plot = card.querySelector(".ls-plot");
    const { labels, marks, series } = read(card);
    const canvas = document.createElement("canvas");
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", [card.querySelector("h2"), card.querySelector("p")].map((one) => one.textContent).join(". "));
    plot.replaceChildren(canvas);
    const chart = new Chart(canvas, {
      data: { labels, datasets: series.map((one) => dataset(card, one, series.length > 1 ? -1 : labels.length - 1)) },
      options: options(card, series, marks),
      plugins: [lines(card, marks)],
    });
    drawn.push({ card, chart });
  }
  lockstep.onContent((root) => root.querySelectorAll("[data-chart]").forEach(draw));
  dark.addEventListener("change", () => {
    const cards = drawn.splice(0).map((one) => { one.chart.destroy(); return one.card; });
    cards.forEach(draw);
  });
})();
