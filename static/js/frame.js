/* What pages add when JavaScript runs; every page works without it. */
(function () {
  "use strict";
  const dialog = document.getElementById("dialog");
  const words = document.getElementById("live-alert").dataset;
  let opener = null;

  // Runs for the whole page, and for each part that is swapped in.
  function onContent(run) {
    run(document);
    document.addEventListener("htmx:afterSettle", (event) => run(event.target));
  }
  function say(region, text) { document.getElementById(region).textContent = text; }
  window.lockstep = { onContent, say };

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

  // An answer on its way to what is swapped now would find nothing there.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const outdated = event.detail.target.dataset.outdates;
    if (outdated) window.htmx.trigger(outdated, "htmx:abort");
  });

  // What is wrong gets the focus, on a whole page and in what has just been swapped in.
  onContent((root) => {
    const summary = root.matches && root.matches("[data-focus]") ? root : root.querySelector("[data-focus]");
    if (summary) summary.focus();
  });

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

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    navigator.clipboard.writeText(button.dataset.copy);
    say("live", words.copied);
  });
  document.addEventListener("click", (event) => { if (event.target.closest("[data-print]")) window.print(); });

  // One menu of the header at a time; Escape and a click elsewhere close it.
  document.addEventListener("click", (event) => {
    document.querySelectorAll("details.ls-menu[open]").forEach((menu) => { if (!menu.contains(event.target)) menu.open = false; });
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    document.querySelectorAll("details.ls-menu[open]").forEach((menu) => { menu.open = false; menu.querySelector("summary").focus(); });
  });

  // What only works with JavaScript is hidden until here.
  onContent((root) => root.querySelectorAll("[data-shown]").forEach((one) => { one.hidden = false; }));
})();

/* Two minutes before a session ends by itself, a question; when it has ended, the page goes. */
(function () {
  "use strict";
  const dialog = document.getElementById("session-ends");
  if (!dialog) return;
  // WCAG 2.2, 2.2.1 asks for 20 seconds at least.
  const WARNING = 120;
  let timer;
  const headers = { "HX-Request": "true", "X-CSRFToken": JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"] };

  async function look(method) {
    const answer = await fetch(dialog.dataset.url, { method, headers, redirect: "manual" });
    if (hasEnded(answer.headers.get("HX-Redirect"))) { leave(); return; }
    if (!answer.ok) { wait(20); return; }
    const { seconds } = await answer.json();
    if (seconds > WARNING) { dialog.close(); wait(seconds - WARNING); } else warn(seconds);
  }
  const hasEnded = (page) => page !== null && page.split("?")[0] === dialog.dataset.signIn;
  const written = () => [...document.querySelectorAll("form[method=post]")].find((form) => [...form.elements].some(isWritten));
  // What somebody was writing goes where it belongs: without a session nothing is done with it, but it is kept until the person is back.
  function leave() {
    const form = written();
    if (form) HTMLFormElement.prototype.submit.call(form); else window.location.reload();
  }
  function isWritten(one) {
    if (one.type === "hidden" || one.type === "password") return false;
    if (one.type === "checkbox" || one.type === "radio") return one.checked !== one.defaultChecked;
    if (one.options) return [...one.options].some((option) => option.selected !== option.defaultSelected);
    return "defaultValue" in one && one.value !== one.defaultValue;
  }
  function warn(seconds) {
    const end = new Date(Date.now() + seconds * 1000);
    dialog.querySelector("[data-time]").textContent = end.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    if (!dialog.open) dialog.showModal();
    // Another tab may keep the session going meanwhile.
    wait(Math.max(1, Math.min(seconds + 1, 20)));
  }
  function wait(seconds) {
    clearTimeout(timer);
    timer = setTimeout(() => look("GET").catch(() => wait(20)), seconds * 1000);
  }

  // Whatever asks by itself may be the first to hear of it.
  document.addEventListener("htmx:beforeOnLoad", (event) => {
    const { xhr, requestConfig } = event.detail;
    if (requestConfig.verb !== "get" || !hasEnded(xhr.getResponseHeader("HX-Redirect")) || !written()) return;
    event.preventDefault();
    leave();
  });
  dialog.querySelector("button").addEventListener("click", () => look("POST").catch(() => {}));
  wait(Math.max(1, Number(dialog.dataset.seconds) - WARNING));
})();

/* The field in the header, and the keys that work on every page: templates/help/shortcuts.html lists them. */
(function () {
  "use strict";
  const search = document.getElementById("frame-q");
  const suggestions = document.getElementById("search-suggestions");
  // After `g` so many milliseconds are left for the letter of a page.
  const PATIENCE = 1500;
  let going = 0;

  // Arrows go through what is suggested; Escape, and the focus that leaves, take it away.
  if (search) {
    search.form.addEventListener("keydown", (event) => {
      const stops = [search, ...suggestions.querySelectorAll("a")];
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (step && stops.length > 1) {
        event.preventDefault();
        stops[(stops.indexOf(document.activeElement) + step + stops.length) % stops.length].focus();
      }
      if (event.key === "Escape") { suggestions.replaceChildren(); search.focus(); }
    });
    search.form.addEventListener("focusout", (event) => {
      if (event.relatedTarget && !search.form.contains(event.relatedTarget)) suggestions.replaceChildren();
    });
    document.addEventListener("click", (event) => { if (!search.form.contains(event.target)) suggestions.replaceChildren(); });
  }

  // Single keys can be turned off (WCAG 2.1.4), and mean nothing while somebody types or a dialog asks.
  if (document.body.dataset.shortcuts === "off") return;
  const busy = (target) => target.isContentEditable || target.matches("input, select, textarea") || document.querySelector("dialog[open]");

  function find() {
    if (!search) return;
    if (!search.checkVisibility()) { document.querySelector(".ls-search-link").click(); return; }
    search.focus();
    search.select();
  }
  function list() {
    const link = document.getElementById("shortcuts-link");
    if (link) link.click();
  }
  function go(letter) {
    const link = document.querySelector(`.ls-nav a[data-go="${CSS.escape(letter)}"]`);
    if (link) link.click();
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || busy(event.target)) return;
    const keys = { "/": find, "?": list };
    if (Date.now() - going < PATIENCE) { going = 0; go(event.key); return; }
    if (event.key === "g") going = Date.now();
    if (!keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  });
})();
