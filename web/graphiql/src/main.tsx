import "@fontsource-variable/inter/wght.css";
import "@fontsource/fira-code/400.css";
import "@graphiql/react/style.css";
import "@graphiql/plugin-doc-explorer/style.css";
import "@graphiql/plugin-explorer/style.css";
import "@graphiql/plugin-history/style.css";
import "graphiql/graphiql.css";
import "./theme.css";
import "./page.css";

import { createRoot } from "react-dom/client";
import { App } from "./App";
import { loadConfig } from "./config";
import { examples, findExampleValues, LOOKUP, type ExampleValues } from "./examples";
import { Session } from "./session";
import { createTransport } from "./transport";
import { bundleWorkers } from "./workers";

const LONGEST_LOOKUP_MS = 2_000;

async function lookUpExampleValues(endpoint: string): Promise<ExampleValues> {
  try {
    const response = await fetch(endpoint, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/graphql-response+json, application/json" },
      body: JSON.stringify({ query: LOOKUP, operationName: "ExampleValues" }),
      signal: AbortSignal.timeout(LONGEST_LOOKUP_MS),
    });
    return findExampleValues(await response.json());
  } catch {
    // The examples are an aid: a slow or empty server must not keep the page from opening.
    return findExampleValues(null);
  }
}

async function start(root: HTMLElement): Promise<void> {
  bundleWorkers();
  // Monaco measures the editor font once; measured before it has loaded, every cursor would stand in the wrong column.
  const font = document.fonts.load('15px "Fira Code"').catch(() => []);
  const config = await loadConfig();
  const session = new Session(config.endpoint, config.demoAccounts);
  const transport = createTransport(config.endpoint, session);
  const [values] = await Promise.all([lookUpExampleValues(config.endpoint), font]);
  createRoot(root).render(
    <App config={config} session={session} transport={transport} examples={examples(values)} />,
  );
}

const root = document.getElementById("root");
if (root) void start(root);
