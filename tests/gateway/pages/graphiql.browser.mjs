/**
 * Drives the GraphiQL page of a running gateway in a real Chromium that can reach nothing but that gateway.
 *
 *   node graphiql.browser.mjs http://127.0.0.1:8000 shot.png [path of chromium]
 *
 * Needs `npm ci` in web/graphiql and demonstration data with at least one demo account. What it sends is read from
 * the page's own example tabs (web/graphiql/src/examples.ts), so it follows the schema with them. Exit code 0 when all
 * holds, 1 with the reason on stderr.
 */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";

const { chromium } = createRequire(new URL("../../../web/graphiql/package.json", import.meta.url))("playwright-core");

const STEP_MS = 20_000;
const [baseUrl, screenshot, executablePath = "/usr/bin/chromium"] = process.argv.slice(2);
if (!baseUrl || !screenshot) {
  console.error("usage: graphiql.browser.mjs BASE_URL SCREENSHOT.png [CHROMIUM]");
  process.exit(2);
}
const origin = new URL(baseUrl);
const endpoint = new URL("/graphql", origin).href;

const profile = await mkdtemp(path.join(tmpdir(), "graphiql-browser-"));
const browser = await chromium.launchPersistentContext(profile, {
  executablePath,
  headless: true,
  viewport: { width: 1440, height: 900 },
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    `--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE ${origin.hostname}`,
  ],
});

try {
  await run(await browser.newPage());
  console.log("ok");
} catch (error) {
  console.error(error);
  await browser.pages().at(-1)?.screenshot({ path: screenshot });
  process.exitCode = 1;
} finally {
  await browser.close();
  await rm(profile, { recursive: true, force: true });
}

async function run(page) {
  page.setDefaultTimeout(STEP_MS);
  const seen = watch(page);
  await page.goto(endpoint);

  const account = await signsInByTheButton(page);
  await showsWhatASearchFinds(page, seen);
  // Monaco colours an answer in slices after showing it; the picture is for people.
  await page.waitForTimeout(500);
  await page.screenshot({ path: screenshot });
  await showsWhatComesInParts(page);
  await showsWhatAnotherClientChanges(page, seen, account);
  await startsTheLiveConnectionAnewOnSignOut(page, seen);

  assert.deepEqual(seen.elsewhere, [], "requests to other origins");
  assert.deepEqual(seen.faults, [], "errors in the page");
}

/** Everything the page asks for, from the first byte on. */
function watch(page) {
  const seen = { elsewhere: [], faults: [], posts: [], handshakes: [], frames: 0 };
  const judge = (address) => {
    const { host, protocol } = new URL(address);
    const local = ["data:", "blob:", "about:"].includes(protocol);
    if (!local && host !== origin.host) seen.elsewhere.push(address);
  };
  page.on("request", (request) => {
    judge(request.url());
    if (request.method() === "POST") seen.posts.push({ body: request.postDataJSON(), headers: request.headers() });
  });
  page.on("websocket", (socket) => {
    judge(socket.url());
    socket.on("framesent", ({ payload }) => {
      const message = JSON.parse(payload);
      if (message.type === "connection_init") seen.handshakes.push(message.payload ?? {});
    });
  });
  page.on("pageerror", (error) => seen.faults.push(String(error)));
  page.on("console", (message) => {
    if (/content security policy/i.test(message.text())) seen.faults.push(message.text());
  });
  return seen;
}

async function signsInByTheButton(page) {
  const config = await (await fetch(new URL("/graphiql/config.json", origin))).json();
  const account = config.demoAccounts[0];
  assert.ok(account, "the server offers no demo account");
  await page.getByText("Not signed in").waitFor();

  await page.getByRole("button", { name: "Sign in as demo account" }).press("Enter");
  await page.getByRole("menuitem", { name: account.displayName }).press("Enter");

  await page.getByRole("status", { name: `Signed in as ${account.displayName}` }).waitFor();
  return account;
}

async function showsWhatASearchFinds(page, seen) {
  await execute(page, "Search");

  const shown = await until(async () => parsed(await response(page)), "an answer to the search");
  assert.equal(shown.errors, undefined, JSON.stringify(shown.errors));
  assert.ok(shown.data.search.edges.length > 0, "the search found nothing");
  const sent = seen.posts.find(({ body }) => body?.operationName === "Search");
  assert.match(sent.headers.authorization ?? "", /^Bearer .+/);
}

async function showsWhatComesInParts(page) {
  const answers = [];
  page.on("response", (answer) => answers.push(answer.headers()["content-type"]));

  await runTab(page, "InParts");

  const shown = await until(async () => {
    const answer = parsed(await response(page));
    return answer?.data?.content?.similar && answer?.data?.content?.credits && answer;
  }, "all parts of an answer");
  assert.equal(shown.errors, undefined, JSON.stringify(shown.errors));
  assert.ok(shown.data.content.title);
  assert.ok(answers.some((type) => type?.startsWith("multipart/mixed")), answers.join());
}

async function showsWhatAnotherClientChanges(page, seen, account) {
  const report = await exampleOperation(page, "ReportProgress");
  const token = await signIn(account);
  await runTab(page, "LiveProgress");
  await page.locator('.mg-live[data-state="open"]').waitFor();
  assert.match(seen.handshakes.at(-1).Authorization ?? "", /^Bearer .+/);

  // The socket being open does not say that the server is listening for this subscription yet: report until it tells.
  const reported = [];
  const shown = await until(async () => {
    reported.push(report.variables.positionSeconds + reported.length);
    const variables = { ...report.variables, positionSeconds: reported.at(-1) };
    const answer = await post({ ...report, variables }, token);
    assert.deepEqual(answer.data?.reportProgress?.userErrors, [], JSON.stringify(answer));
    return parsed(await response(page));
  }, "a live event");

  const text = JSON.stringify(shown);
  assert.equal(shown.errors, undefined, text);
  assert.ok(reported.some((position) => text.includes(`"positionSeconds":${position}`)), text);
}

async function startsTheLiveConnectionAnewOnSignOut(page, seen) {
  const before = seen.handshakes.length;

  await page.getByRole("button", { name: "Sign out" }).press("Enter");

  await page.getByText("Not signed in").waitFor();
  await until(async () => seen.handshakes.length > before, "a new connection after signing out");
  assert.equal(seen.handshakes.at(-1).Authorization, undefined);
  assert.equal(await page.evaluate(() => sessionStorage.length), 0);
}

async function runTab(page, name) {
  await page.getByRole("tab", { name: new RegExp(`^${name}`) }).getByRole("button").first().click();
  await execute(page, name);
}

/** Runs the operation of that name once the editor shows it. */
async function execute(page, name) {
  await page.locator(".graphiql-query-editor .view-lines", { hasText: name }).waitFor();
  await page.locator(".graphiql-response .monaco-editor").waitFor();
  await page.getByRole("button", { name: /^Execute query/ }).click();
}

/** The whole text of the response editor; its elements hold only the lines in sight. */
function response(page) {
  return page.evaluate(() => {
    const models = globalThis.__MONACO.editor.getModels();
    return models.find(({ uri }) => uri.path.endsWith("response.json")).getValue();
  });
}

function exampleOperation(page, operationName) {
  return page.evaluate((name) => {
    const { tabs } = JSON.parse(localStorage.getItem("graphiql:tabState"));
    const tab = tabs.find(({ title }) => title === name);
    return { query: tab.query, operationName: name, variables: JSON.parse(tab.variables) };
  }, operationName);
}

async function signIn({ email, password }) {
  const query = `mutation SignIn($email: String!, $password: String!) {
    signIn(input: { email: $email, password: $password }) { accessToken userErrors { message } }
  }`;
  const answer = await post({ query, variables: { email, password } });
  assert.ok(answer.data?.signIn?.accessToken, JSON.stringify(answer));
  return answer.data.signIn.accessToken;
}

async function post(operation, token) {
  const headers = { "content-type": "application/json", ...(token ? { authorization: `Bearer ${token}` } : {}) };
  return (await fetch(endpoint, { method: "POST", headers, body: JSON.stringify(operation) })).json();
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

async function until(holds, what) {
  const end = Date.now() + STEP_MS;
  for (;;) {
    const value = await holds();
    if (value) return value;
    assert.ok(Date.now() < end, `waited ${STEP_MS} ms for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
}
