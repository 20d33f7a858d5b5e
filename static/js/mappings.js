/* The editor of a mapping: its keys, functions put in, attributes proposed. */
(function () {
  "use strict";
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
  lockstep.onContent((root) => {
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
  });
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
})();
