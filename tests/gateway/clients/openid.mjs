// Goes through flows of OAuth as openid-client does, which checks what it is answered by the specifications.
//
//   node openid.mjs FLOW '{"issuer": …, "id": …, "secret": …}'
//
// FLOW is one of those below. Where somebody has to do something in a browser, the script prints it as a line of JSON
// and reads what came of it; its last line is what the flow came to.
import { createInterface } from "node:readline";
import * as client from "openid-client";

const [flow, given] = process.argv.slice(2);
const { issuer, id, secret, ...more } = JSON.parse(given);
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const graph = new URL("/graphql", issuer);

const say = (said) => console.log(JSON.stringify(said));
const heard = async () => (await lines.next()).value;

const config = await client.discovery(
  new URL(issuer),
  id,
  undefined,
  secret ? client.ClientSecretBasic(secret) : client.None(),
  { execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks] },
);

/** What the graph says to a token: its status, and its data. */
async function viewer(token, options) {
  const body = JSON.stringify({ query: "{ viewer { account { email } } }" });
  const headers = new Headers({ "content-type": "application/json", accept: "application/graphql-response+json" });
  try {
    const answer = await client.fetchProtectedResource(config, token, graph, "POST", body, headers, options);
    return { status: answer.status, viewer: (await answer.json()).data.viewer };
  } catch (error) {
    return { status: error.status, code: error.code };
  }
}

const flows = {
  /** A pushed request, a code, and tokens that are bound to a key. */
  async bound() {
    const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair("ES256"));
    const verifier = client.randomPKCECodeVerifier();
    const asked = { state: client.randomState(), nonce: client.randomNonce() };
    const url = await client.buildAuthorizationUrlWithPAR(
      config,
      {
        redirect_uri: more.callback,
        scope: more.scope,
        code_challenge: await client.calculatePKCECodeChallenge(verifier),
        code_challenge_method: "S256",
        ...asked,
      },
      { DPoP },
    );
    say({ open: url.href });
    const tokens = await client.authorizationCodeGrant(
      config,
      new URL(await heard()),
      { pkceCodeVerifier: verifier, expectedState: asked.state, expectedNonce: asked.nonce, idTokenExpected: true },
      {},
      { DPoP },
    );
    const { sub } = tokens.claims();
    const about = await client.fetchUserInfo(config, tokens.access_token, sub, { DPoP });
    const seen = await viewer(tokens.access_token, { DPoP });
    const next = await client.refreshTokenGrant(config, tokens.refresh_token, {}, { DPoP });
    const thief = client.getDPoPHandle(config, await client.randomDPoPKeyPair("ES256"));
    const stolen = await viewer(next.access_token, { DPoP: thief });
    await client.tokenRevocation(config, next.refresh_token);
    return { url: url.href, type: tokens.token_type, about, seen, stolen, after: await viewer(next.access_token, { DPoP }) };
  },

  /** A device without a keyboard. */
  async device() {
    const begun = await client.initiateDeviceAuthorization(config, { scope: more.scope });
    say({ open: begun.verification_uri_complete });
    const decided = await heard();
    try {
      const tokens = await client.pollDeviceAuthorizationGrant(config, begun);
      return { decided, seen: await viewer(tokens.access_token) };
    } catch (error) {
      return { decided, error: error.error };
    }
  },

  /** A service of its own, that asks about its token. */
  async service() {
    const { access_token: token, scope } = await client.clientCredentialsGrant(config);
    const about = await client.tokenIntrospection(config, token);
    await client.tokenRevocation(config, token);
    return { scope, about, after: (await client.tokenIntrospection(config, token)).active };
  },

  /** An administrator who acts as an account. */
  async exchange() {
    const tokens = await client.genericGrantRequest(config, "urn:ietf:params:oauth:grant-type:token-exchange", more.exchange);
    return { type: tokens.issued_token_type, seen: await viewer(tokens.access_token) };
  },
};

say(await flows[flow]());
process.exit(0);
