/** An account anyone may sign in as; the server lists them only where demonstration data is loaded. */
export interface DemoAccount {
  readonly email: string;
  readonly displayName: string;
  readonly password: string;
}

/** What the server tells the page about itself. */
export interface PageConfig {
  readonly endpoint: string;
  readonly demoAccounts: readonly DemoAccount[];
}

const DEFAULTS: PageConfig = { endpoint: "/graphql", demoAccounts: [] };

/** Reads `/graphiql/config.json`. A server without one still gets a working page, only without demo accounts. */
export async function loadConfig(): Promise<PageConfig> {
  try {
    const response = await fetch(`${import.meta.env.BASE_URL}config.json`, { cache: "no-store" });
    return response.ok ? readConfig(await response.json()) : DEFAULTS;
  } catch {
    return DEFAULTS;
  }
}

function readConfig(body: unknown): PageConfig {
  const { endpoint, demoAccounts } = (body ?? {}) as Record<string, unknown>;
  return {
    endpoint: typeof endpoint === "string" && isOurs(endpoint) ? endpoint : DEFAULTS.endpoint,
    demoAccounts: Array.isArray(demoAccounts) ? demoAccounts.filter(isDemoAccount) : [],
  };
}

/** Tokens are sent to the endpoint, so an address elsewhere is not believed. */
function isOurs(endpoint: string): boolean {
  return URL.canParse(endpoint, location.href) && new URL(endpoint, location.href).origin === location.origin;
}

function isDemoAccount(value: unknown): value is DemoAccount {
  const account = (value ?? {}) as Record<string, unknown>;
  return ["email", "displayName", "password"].every((key) => typeof account[key] === "string");
}
