import { createGraphiQLFetcher, type Fetcher } from "@graphiql/toolkit";
import { createClient, type Client } from "graphql-ws";
import { readAnew } from "./request";
import type { Session } from "./session";

/** What the live connection is doing; it is open only while a subscription runs. */
export type LinkState = "idle" | "connecting" | "open";

export interface Transport {
  readonly fetcher: Fetcher;
  readonly linkState: () => LinkState;
  readonly subscribeToLink: (listener: () => void) => () => void;
}

const MOST_RECONNECTS = 8;
const LONGEST_WAIT_MS = 10_000;

/**
 * Queries and mutations go by POST, subscriptions over `graphql-transport-ws`, all to one endpoint. What `@defer` and
 * `@stream` put off comes in parts of the same answer.
 *
 * The session's token goes with each of them unless the Headers editor names its own `Authorization`. After a sign-in
 * or sign-out the live connection is replaced, because a connection keeps the identity it was opened with; running
 * subscriptions start again on the new one.
 */
export function createTransport(endpoint: string, session: Session): Transport {
  let editorHeaders: Record<string, unknown> = {};
  const live = createLiveClient(endpoint, session, () => editorHeaders);
  const link = watchLink(live);
  let identity = session.current()?.email;
  session.subscribe(() => {
    const next = session.current()?.email;
    // A renewed token is the same account: what is open may stay open.
    if (next !== identity && link.state() !== "idle") live.terminate();
    identity = next;
  });
  const send = createGraphiQLFetcher({
    url: endpoint,
    wsClient: showingRefusals(live),
    fetch: authorized(session),
    enableIncrementalDelivery: true,
  });
  return {
    fetcher(request, options) {
      editorHeaders = options?.headers ?? {};
      return send(...readAnew(request, options ?? {}));
    },
    linkState: link.state,
    subscribeToLink: link.subscribe,
  };
}

function createLiveClient(endpoint: string, session: Session, headers: () => Record<string, unknown>): Client {
  const url = new URL(endpoint, location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return createClient({
    url: url.href,
    keepAlive: 20_000,
    connectionAckWaitTimeout: 10_000,
    retryAttempts: MOST_RECONNECTS,
    // The first attempt is at once: it is mostly our own, after a sign-in.
    retryWait: (retries) => pause(retries === 0 ? 0 : Math.min(500 * 2 ** retries, LONGEST_WAIT_MS)),
    connectionParams: async () => {
      const token = await session.token();
      return { ...(token ? { Authorization: `Bearer ${token}` } : {}), ...spelledOurWay(headers()) };
    },
  });
}

/** A subscription that the server refuses is answered with its errors, like any other operation. */
function showingRefusals(live: Client): Client {
  return {
    ...live,
    subscribe: (payload, sink) =>
      live.subscribe(payload, {
        next: (value) => sink.next(value as never),
        complete: () => sink.complete(),
        error: (reason) => {
          if (!Array.isArray(reason)) {
            sink.error(reason);
            return;
          }
          sink.next({ errors: reason } as never);
          sink.complete();
        },
      }),
  };
}

/** A payload has no case-insensitive keys, so that `authorization` typed by hand replaces ours and does not join it. */
function spelledOurWay(headers: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [/^authorization$/i.test(name) ? "Authorization" : name, value]),
  );
}

function watchLink(live: Client): { state: () => LinkState; subscribe: (listener: () => void) => () => void } {
  let state: LinkState = "idle";
  const listeners = new Set<() => void>();
  const become = (next: LinkState) => () => {
    state = next;
    for (const listener of listeners) listener();
  };
  live.on("connecting", become("connecting"));
  live.on("connected", become("open"));
  live.on("closed", become("idle"));
  return {
    state: () => state,
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

function authorized(session: Session): typeof fetch {
  const send = (input: RequestInfo | URL, init: RequestInit | undefined, token: string | null): Promise<Response> => {
    const headers = new Headers(init?.headers);
    if (token) headers.set("authorization", `Bearer ${token}`);
    return fetch(input, { ...init, headers });
  };
  return async (input, init) => {
    if (new Headers(init?.headers).has("authorization")) return fetch(input, init);
    const token = await session.token();
    const response = await send(input, init, token);
    // A refused token was refused before anything ran (the server may have been set up anew), so asking again is safe.
    return response.status === 401 && token ? send(input, init, await session.renew()) : response;
  };
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
