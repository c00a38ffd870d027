// Passkeys (WebAuthn): one proves who this is, or is added. Without a script the code of an app does the same.
(() => {
  if (!window.PublicKeyCredential) return;
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const post = async (button, what, body) => {
    const answer = await fetch("/sign-in/passkey/" + what, {
      method: "POST",
      headers: { "Content-Type": "application/json", "Lienthong-CSRF": button.dataset.csrf },
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(answer.status);
    return answer.json();
  };
  const named = (list) => (list || []).map((each) => ({ ...each, id: bytes(each.id) }));
  const sent = (found, response) => ({ id: found.id, rawId: text(found.rawId), type: found.type, response });
  const check = async (button) => {
    const asked = await post(button, "options", {});
    const options = { ...asked.options, challenge: bytes(asked.options.challenge), allowCredentials: named(asked.options.allowCredentials) };
    const found = await navigator.credentials.get({ publicKey: options });
    const { clientDataJSON, authenticatorData, signature, userHandle } = found.response;
    const response = {
      clientDataJSON: text(clientDataJSON),
      authenticatorData: text(authenticatorData),
      signature: text(signature),
      userHandle: userHandle && text(userHandle),
    };
    await post(button, "check", { challenge: asked.challenge, credential: sent(found, response) });
    location.assign(button.dataset.next);
  };
  const add = async (button) => {
    const asked = await post(button, "new-options", {});
    const options = { ...asked.options, challenge: bytes(asked.options.challenge), excludeCredentials: named(asked.options.excludeCredentials) };
    options.user = { ...options.user, id: bytes(options.user.id) };
    const found = await navigator.credentials.create({ publicKey: options });
    const response = { clientDataJSON: text(found.response.clientDataJSON), attestationObject: text(found.response.attestationObject) };
    const kept = await post(button, "new", { challenge: asked.challenge, credential: sent(found, response), label: "" });
    const list = document.getElementById("codes");
    for (const code of kept.recovery_codes) list.appendChild(document.createElement("li")).textContent = code;
    list.hidden = kept.recovery_codes.length === 0;
    document.getElementById("passkey-added").hidden = false;
    button.hidden = true;
  };
  for (const [name, act] of [["passkey", check], ["add-passkey", add]]) {
    const button = document.getElementById(name);
    if (!button) continue;
    button.hidden = false;
    button.addEventListener("click", () => {
      act(button).catch(() => {
        document.getElementById("passkey-failed").hidden = false;
      });
    });
  }
})();
