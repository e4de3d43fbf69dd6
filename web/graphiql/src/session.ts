import type { DemoAccount } from "./config";

/** The account the page acts for. */
export interface SignedIn {
  readonly email: string;
  readonly displayName: string;
  readonly token: string;
}

interface SignInAnswer {
  readonly data?: {
    readonly signIn?: { readonly accessToken?: string | null; readonly userErrors?: readonly { message: string }[] };
  } | null;
  readonly errors?: readonly { readonly message: string }[];
}

const STORAGE_KEY = "media-gateway:session";
const RENEW_BEFORE_EXPIRY_MS = 30_000;
const SIGN_IN = `mutation SignInAsDemoAccount($email: String!, $password: String!) {
  signIn(input: { email: $email, password: $password }) {
    accessToken
    userErrors { message }
  }
}`;

/**
 * Who is signed in, kept for this browser tab only.
 *
 * Access tokens are short-lived and the passwords of demo accounts are no secret, so a token about to lapse is replaced
 * by signing in again. When that is refused, the session ends rather than going on with a token nobody accepts.
 */
export class Session {
  readonly #endpoint: string;
  readonly #accounts: readonly DemoAccount[];
  readonly #listeners = new Set<() => void>();
  #current: SignedIn | null;
  #renewal: Promise<string | null> | null = null;

  constructor(endpoint: string, accounts: readonly DemoAccount[]) {
    this.#endpoint = endpoint;
    this.#accounts = accounts;
    this.#current = restore();
  }

  /** Calls back after every sign-in and sign-out; answers with the way to stop. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly current = (): SignedIn | null => this.#current;

  /** The token to send now, or null when anonymous. */
  async token(): Promise<string | null> {
    if (!this.#current) return null;
    return expiresAt(this.#current.token) - Date.now() > RENEW_BEFORE_EXPIRY_MS ? this.#current.token : this.renew();
  }

  /** Replaces the token; requests that find out at the same time share one sign-in. */
  renew(): Promise<string | null> {
    this.#renewal ??= this.#signInAgain().finally(() => {
      this.#renewal = null;
    });
    return this.#renewal;
  }

  /** Throws an Error with the server's own words when it refuses. */
  async signIn(account: DemoAccount): Promise<void> {
    this.#become({ email: account.email, displayName: account.displayName, token: await this.#ask(account) });
  }

  signOut(): void {
    this.#become(null);
  }

  async #signInAgain(): Promise<string | null> {
    const before = this.#current;
    const account = this.#accounts.find(({ email }) => email === before?.email);
    const token = account ? await this.#ask(account).catch(() => null) : null;
    // Signed out, or in as somebody else, while waiting: their choice stands.
    if (this.#current !== before) return this.#current?.token ?? null;
    this.#become(before && token ? { ...before, token } : null);
    return token;
  }

  async #ask({ email, password }: DemoAccount): Promise<string> {
    const response = await fetch(this.#endpoint, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/graphql-response+json, application/json" },
      body: JSON.stringify({ query: SIGN_IN, operationName: "SignInAsDemoAccount", variables: { email, password } }),
    });
    const answer = (await response.json().catch(() => ({}))) as SignInAnswer;
    const token = answer.data?.signIn?.accessToken;
    if (token) return token;
    const refusal = [...(answer.data?.signIn?.userErrors ?? []), ...(answer.errors ?? [])][0];
    throw new Error(refusal?.message ?? `The server answered ${response.status} without a token.`);
  }

  #become(next: SignedIn | null): void {
    this.#current = next;
    if (next) sessionStorage.setItem(STORAGE_KEY, JSON.stringify(next));
    else sessionStorage.removeItem(STORAGE_KEY);
    for (const listener of this.#listeners) listener();
  }
}

function restore(): SignedIn | null {
  try {
    const stored = JSON.parse(sessionStorage.getItem(STORAGE_KEY) ?? "null") as Partial<SignedIn> | null;
    return stored?.token && stored.email && stored.displayName ? (stored as SignedIn) : null;
  } catch {
    return null;
  }
}

/** The `exp` claim in milliseconds; a token we cannot read is left for the server to judge. */
function expiresAt(token: string): number {
  try {
    const claims = (token.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/");
    const { exp } = JSON.parse(atob(claims)) as { exp?: unknown };
    return typeof exp === "number" ? exp * 1000 : Infinity;
  } catch {
    return Infinity;
  }
}
