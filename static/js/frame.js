/* What pages add when JavaScript runs; every page works without it. */
(function () {
  "use strict";
  const dialog = document.getElementById("dialog");
  const words = document.getElementById("live-alert").dataset;
  let opener = null;

  // A poll of a hidden tab is skipped; the next one comes when the tab is seen again.
  document.addEventListener("htmx:beforeRequest", (event) => {
    const trigger = event.detail.elt.getAttribute("hx-trigger") || "";
    if (document.hidden && trigger.startsWith("every")) event.preventDefault();
  });

  document.addEventListener("htmx:beforeRequest", (event) => event.detail.target.setAttribute("aria-busy", "true"));
  document.addEventListener("htmx:afterRequest", (event) => event.detail.target.removeAttribute("aria-busy"));

  // What htmx loads into the dialog opens it; focus goes to the safe choice and back afterwards.
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target !== dialog) return;
    opener = document.activeElement;
    if (!dialog.open) dialog.showModal();
    const safe = dialog.querySelector("[data-dialog-close]");
    if (safe) safe.focus();
  });
  document.addEventListener("click", (event) => {
    const close = event.target.closest("[data-dialog-close]");
    if (close && dialog.open) { event.preventDefault(); dialog.close(); }
  });
  if (dialog) dialog.addEventListener("close", () => { dialog.replaceChildren(); if (opener) opener.focus(); });

  // A server that failed changes nothing on the page; a short notice says so.
  document.addEventListener("htmx:responseError", (event) => {
    const id = event.detail.xhr.getResponseHeader("X-Request-ID") || "";
    say("live-alert", words.failed + " " + id);
  });
  function say(region, text) { document.getElementById(region).textContent = text; }

  // What is wrong gets the focus, on a whole page and in what has just been swapped in.
  function focusProblem(root) {
    const summary = root.matches && root.matches("[data-focus]") ? root : root.querySelector("[data-focus]");
    if (summary) summary.focus();
  }
  focusProblem(document);
  document.addEventListener("htmx:afterSettle", (event) => focusProblem(event.target));

  // A fragment may bring a sentence for screen readers.
  document.addEventListener("htmx:afterSettle", (event) => {
    const said = event.target.querySelector("[data-say]");
    if (said) say("live", said.dataset.say);
  });

  // A form says which draft its page showed: it may have been published or discarded meanwhile.
  document.addEventListener("formdata", (event) => {
    if (!event.formData.has("draft")) event.formData.append("draft", document.body.dataset.draft);
  });

  // The next answer that works takes the notice away.
  document.addEventListener("htmx:afterOnLoad", (event) => { if (event.detail.successful) say("live-alert", ""); });

  // A finished phase is told once.
  let phases = "";
  document.addEventListener("htmx:afterSettle", () => {
    const running = document.querySelector(".ls-phase-running .ls-phase-name");
    const now = running ? running.textContent : "";
    if (now && now !== phases) say("live", now);
    phases = now || phases;
  });

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

  document.querySelectorAll("[data-reveal]").forEach((button) => {
    button.hidden = false;
    button.addEventListener("click", () => {
      const field = document.getElementById(button.dataset.reveal);
      field.type = field.type === "password" ? "text" : "password";
      button.setAttribute("aria-pressed", String(field.type === "text"));
    });
  });

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    navigator.clipboard.writeText(button.dataset.copy);
    say("live", words.copied);
  });

  // One menu of the header at a time; Escape and a click elsewhere close it.
  document.addEventListener("click", (event) => {
    document.querySelectorAll("details.ls-menu[open]").forEach((menu) => { if (!menu.contains(event.target)) menu.open = false; });
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    document.querySelectorAll("details.ls-menu[open]").forEach((menu) => { menu.open = false; menu.querySelector("summary").focus(); });
  });

  // What only works with JavaScript is hidden until here.
  const reveal = (root) => root.querySelectorAll("[data-shown]").forEach((one) => { one.hidden = false; });
  reveal(document);
  document.addEventListener("htmx:afterSettle", (event) => reveal(event.target));

  // A list that a search field above it narrows.
  document.addEventListener("input", (event) => {
    const list = document.getElementById(event.target.dataset.filters || "");
    if (!list) return;
    event.stopPropagation();
    const text = event.target.value.trim().toLowerCase();
    [...list.children].forEach((item) => { item.hidden = !item.dataset.words.includes(text); });
  }, true);

  // A function goes in at the caret; what was selected becomes its first argument.
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-insert]");
    const area = button && (button.closest("form") || document).querySelector("[data-expression]");
    if (!area) return;
    const chosen = area.value.slice(area.selectionStart, area.selectionEnd);
    const start = area.selectionStart;
    area.setRangeText(button.dataset.insert + chosen + ")", start, area.selectionEnd, "end");
    area.focus();
    area.setSelectionRange(start + button.dataset.insert.length, start + button.dataset.insert.length + chosen.length);
    area.dispatchEvent(new Event("input", { bubbles: true }));
  });

  // Ctrl Enter saves from a text area; Escape leaves a form that was opened in a row.
  document.addEventListener("keydown", (event) => {
    const form = event.target.closest && event.target.closest("form[data-saves]");
    if (!form) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); form.requestSubmit(form.querySelector(".btn-primary")); }
    if (event.key === "Escape" && !event.defaultPrevented) form.querySelector("[data-cancels]").click();
  });

  // Combobox (ARIA Authoring Practices, editable with list autocomplete): the input keeps the focus, any typed value is legal.
  const options = (input) => document.getElementById(input.dataset.combobox);
  const visible = (list) => [...list.children].filter((one) => !one.hidden);
  function combobox(root) {
    root.querySelectorAll("[data-combobox]:not([role])").forEach((input) => {
      const list = options(input);
      if (!list) return;
      const attributes = { role: "combobox", "aria-expanded": "false", "aria-controls": list.id, "aria-autocomplete": "list" };
      Object.entries(attributes).forEach(([name, value]) => input.setAttribute(name, value));
      input.addEventListener("blur", () => open(input, false));
      input.addEventListener("input", (event) => { if (event.isTrusted) { narrow(input, list); open(input, isDirect(input)); } });
      input.addEventListener("click", () => { narrow(input, list, true); open(input, isDirect(input)); });
      list.addEventListener("mousedown", (event) => { event.preventDefault(); take(input, event.target.closest("[role=option]")); });
    });
  }
  // A constant is no attribute: nothing is proposed for it.
  function isDirect(input) {
    const kind = input.form.querySelector("[name=kind]:checked");
    return !kind || kind.value !== "constant";
  }
  function narrow(input, list, all) {
    const text = all ? "" : input.value.trim().toLowerCase();
    [...list.children].forEach((one) => { one.hidden = !one.textContent.toLowerCase().includes(text); });
  }
  function open(input, wanted) {
    const list = options(input);
    const shown = wanted && visible(list).length > 0;
    list.hidden = !shown;
    input.setAttribute("aria-expanded", String(shown));
    mark(input, null);
  }
  function mark(input, option) {
    options(input).querySelectorAll("[aria-selected=true]").forEach((one) => one.setAttribute("aria-selected", "false"));
    if (!option) return input.removeAttribute("aria-activedescendant");
    option.setAttribute("aria-selected", "true");
    option.scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", option.id);
  }
  function take(input, option) {
    if (!option) return;
    input.value = option.dataset.value;
    open(input, false);
    input.dispatchEvent(new Event("input", { bubbles: true }));
  }
  document.addEventListener("keydown", (event) => {
    const input = event.target;
    if (!input.dataset || !input.dataset.combobox || input.getAttribute("role") !== "combobox") return;
    const list = options(input);
    const marked = list.querySelector("[aria-selected=true]");
    const isOpen = !list.hidden;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      if (!isDirect(input)) return;
      event.preventDefault();
      if (!isOpen) { narrow(input, list, true); open(input, true); }
      const all = visible(list);
      const step = event.key === "ArrowDown" ? 1 : -1;
      mark(input, all[(all.indexOf(marked) + step + all.length + (marked || step > 0 ? 0 : 1)) % all.length]);
    } else if (event.key === "Enter" && isOpen && marked) {
      event.preventDefault();
      take(input, marked);
    } else if (event.key === "Escape" && isOpen) {
      event.preventDefault();
      open(input, false);
    }
  }, true);
  combobox(document);
  document.addEventListener("htmx:afterSettle", (event) => { combobox(event.target); focusProblem(event.target); });
})();
