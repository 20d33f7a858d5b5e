/* A password that is shown while it is typed. */
(function () {
  "use strict";
  document.querySelectorAll("[data-reveal]").forEach((button) => {
    button.hidden = false;
    button.addEventListener("click", () => {
      const field = document.getElementById(button.dataset.reveal);
      field.type = field.type === "password" ? "text" : "password";
      button.setAttribute("aria-pressed", String(field.type === "text"));
    });
  });
})();

/* A time zone that nobody has chosen yet is the browser's. */
(function () {
  "use strict";
  const select = document.querySelector("select[data-browser-zone]");
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (select && select.value === "UTC" && [...select.options].some((one) => one.value === zone)) select.value = zone;
})();

/* Passkeys: the form that waits for one shows itself where the browser knows them. */
(function () {
  "use strict";
  const known = window.PublicKeyCredential && PublicKeyCredential.parseRequestOptionsFromJSON;

  async function optionsOf(form) {
    if (!form.dataset.optionsUrl) return JSON.parse(document.getElementById("passkey-options").textContent);
    const answer = await fetch(form.dataset.optionsUrl, { headers: { Accept: "application/json", "X-Requested-With": "XMLHttpRequest" } });
    return (await answer.json()).request_options;
  }

  async function credentialFor(form) {
    const { publicKey } = await optionsOf(form);
    return form.dataset.passkey === "create"
      ? navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(publicKey) })
      : navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(publicKey) });
  }

  async function ask(event) {
    const form = event.target;
    const failed = form.querySelector("[data-passkey-failed]");
    event.preventDefault();
    failed.textContent = "";
    try {
      form.elements.credential.value = JSON.stringify((await credentialFor(form)).toJSON());
      form.submit();
    } catch {
      // Cancelled, timed out, or none for this place: browsers do not say which (WebAuthn level 3, section 14.5.2).
      failed.textContent = failed.dataset.passkeyFailed;
    }
  }

  if (!known) return;
  document.querySelectorAll("[data-without-passkeys]").forEach((words) => { words.hidden = true; });
  document.querySelectorAll("form[data-passkey]").forEach((form) => {
    form.hidden = false;
    form.addEventListener("submit", ask);
  });
})();
