/**
 * Makes and uses passkeys in a real Chromium, with a virtual authenticator of the DevTools protocol.
 *
 *   node passkeys.browser.mjs http://localhost:8000 [path of chromium]
 *
 * Reads one question a line from stdin, {"create": options} or {"get": options}, and answers each with what the
 * browser's credential says of itself by `toJSON()`, or {"error": name}. Needs `npm ci` in web/graphiql.
 */
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const { chromium } = createRequire(new URL("../../../web/graphiql/package.json", import.meta.url))("playwright-core");

const [origin, executablePath = "/usr/bin/chromium"] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath, headless: true, args: ["--no-sandbox", "--disable-gpu"] });
try {
  const page = await browser.newPage();
  const tools = await page.context().newCDPSession(page);
  await tools.send("WebAuthn.enable");
  await tools.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  await page.goto(new URL("/livez", origin).href);
  for await (const line of createInterface({ input: process.stdin })) {
    const answer = await page.evaluate(async (asked) => {
      try {
        const { PublicKeyCredential: key } = globalThis;
        const credential = asked.create
          ? await navigator.credentials.create({ publicKey: key.parseCreationOptionsFromJSON(asked.create) })
          : await navigator.credentials.get({ publicKey: key.parseRequestOptionsFromJSON(asked.get) });
        return credential.toJSON();
      } catch (error) {
        return { error: error.name };
      }
    }, JSON.parse(line));
    console.log(JSON.stringify(answer));
  }
} finally {
  await browser.close();
}
