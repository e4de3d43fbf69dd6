// Lets the forms of a page be answered with a passkey. Where that cannot be, they stay hidden; passwords and codes
// need none of this.

const { PublicKeyCredential: Key } = globalThis;

function offer(form) {
  const problem = form.querySelector("[role=alert]");
  let waiting = new AbortController();

  async function answer(how) {
    const publicKey = Key.parseRequestOptionsFromJSON(JSON.parse(form.dataset.passkey));
    const credential = await navigator.credentials.get({ publicKey, signal: waiting.signal, ...how });
    form.elements.credential.value = JSON.stringify(credential);
    form.submit();
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    // A page asks for one passkey at a time, and the question in the field of the address may still wait.
    waiting.abort();
    waiting = new AbortController();
    problem.hidden = true;
    try {
      await answer({});
    } catch (error) {
      problem.hidden = error.name === "AbortError";
    }
  });

  async function suggest() {
    if (await Key.isConditionalMediationAvailable?.()) {
      await answer({ mediation: "conditional" });
    }
  }

  form.hidden = false;
  if ("suggest" in form.dataset) {
    suggest().catch(() => {});
  }
}

if (Key?.parseRequestOptionsFromJSON) {
  document.querySelectorAll("form[data-passkey]").forEach(offer);
}
