/**
 * Makes and uses passkeys in a real Chromium, with a virtual authenticator of the DevTools protocol.
 *
 *   node passkeys.browser.mjs http://localhost:8000 [path of chromium]
 *
 * Reads one question a line from stdin, {"create": options} or {"get": options}, and answers each with what the
 * browser's credential says of itself by `toJSON()`, or {"error": name}. It goes about pages as well: {"open": path},
 * {"fill": {selector: text}}, {"click": selector}, {"presence": whether somebody touches the authenticator},
 * {"scripts": whether pages may run them}, {"await": selector} and {"picture": file, "width", "dark", "language"} are
 * answered with what the page then says, and what it was refused to load. Needs `npm ci` in web/graphiql.
 */
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const { chromium } = createRequire(new URL("../../../web/graphiql/package.json", import.meta.url))("playwright-core");

const [origin, executablePath = "/usr/bin/chromium"] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath, headless: true, args: ["--no-sandbox", "--disable-gpu"] });

/** A page of its own, with an authenticator. */
async function opened() {
  const page = await browser.newPage();
  const tools = await page.context().newCDPSession(page);
  await tools.send("WebAuthn.enable");
  const { authenticatorId } = await tools.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  const refused = [];
  page.on("console", (said) => /Security Policy|script/i.test(said.text()) && refused.push(said.text()));
  await page.goto(new URL("/livez", origin).href);
  return { page, tools, authenticatorId, refused };
}

async function asked({ page }, question) {
  return page.evaluate(async ({ create, get }) => {
    try {
      const { PublicKeyCredential: key } = globalThis;
      const credential = create
        ? await navigator.credentials.create({ publicKey: key.parseCreationOptionsFromJSON(create) })
        : await navigator.credentials.get({ publicKey: key.parseRequestOptionsFromJSON(get) });
      return credential.toJSON();
    } catch (error) {
      return { error: error.name };
    }
  }, question);
}

async function gone({ page, tools, authenticatorId, refused }, step) {
  if ("presence" in step) {
    await tools.send("WebAuthn.setAutomaticPresenceSimulation", { authenticatorId, enabled: step.presence });
  }
  if ("scripts" in step) await tools.send("Emulation.setScriptExecutionDisabled", { value: !step.scripts });
  if (step.language) await page.setExtraHTTPHeaders({ "accept-language": step.language });
  if (step.width) await page.setViewportSize({ width: step.width, height: step.height ?? 900 });
  if ("dark" in step) await page.emulateMedia({ colorScheme: step.dark ? "dark" : "light" });
  if (step.open) await page.goto(new URL(step.open, origin).href);
  for (const [selector, text] of Object.entries(step.fill ?? {})) await page.fill(selector, text);
  if (step.click) await Promise.all([page.waitForEvent("load"), page.click(step.click)]);
  if (step.await) await page.waitForSelector(step.await);
  if (step.picture) await page.screenshot({ path: step.picture });
  return { url: page.url(), text: await page.innerText("body"), refused };
}

try {
  const tab = await opened();
  for await (const line of createInterface({ input: process.stdin })) {
    const question = JSON.parse(line);
    const answer = question.create || question.get ? await asked(tab, question) : await gone(tab, question);
    console.log(JSON.stringify(answer));
  }
} finally {
  await browser.close();
}
