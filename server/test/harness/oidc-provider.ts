import { createHash, randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, type JWTHeaderParameters, SignJWT } from "jose";
import { assert } from "#src/lib/assert.ts";

// An OpenID provider on loopback, which can lie. A test is the browser: `authorize` returns the query of the redirect.

export const CLIENT_ID = "bursar";
export const CLIENT_SECRET = "the-secret-of-the-client+/=";

export interface TokenParts {
  header: JWTHeaderParameters;
  claims: Record<string, unknown>;
}

export interface TestProvider {
  issuer: string;
  /** Fields of the discovery document that replace the usual ones. */
  metadata: Record<string, unknown>;
  /** Claims of the user info endpoint. */
  userInfo: Record<string, unknown>;
  /** Changes a token before it is signed. */
  change: (token: TokenParts) => void;
  /** Signs a token. Default: the published key. */
  sign: (token: TokenParts) => Promise<string>;
  /** Replaces the published key, and returns a function that signs with the earlier one. */
  rotate(): Promise<TestProvider["sign"]>;
  /** The published key, as a JSON Web Key. */
  publicKey(): Promise<object>;
  /** Codes, tokens and verifiers of all sign-ins. */
  secrets: string[];
  /** Signs the person in. Returns the query of the redirect. */
  authorize(authorizationUrl: string, claims: Record<string, unknown>): string;
  /** Undoes all lies. */
  reset(): void;
  close(): Promise<void>;
}

interface Grant {
  challenge: string;
  nonce: string;
  redirectUri: string;
  claims: Record<string, unknown>;
}

/** `nowMs`: clock of the tokens. */
export async function startTestProvider(nowMs: () => number): Promise<TestProvider> {
  const grants = new Map<string, Grant>();
  let key = await makeKey();
  const server = createServer((request, response) => void serve(request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const signWith =
    ({ privateKey }: Awaited<ReturnType<typeof makeKey>>): TestProvider["sign"] =>
    ({ header, claims }) =>
      new SignJWT(claims).setProtectedHeader(header).sign(privateKey);

  const provider: TestProvider = {
    issuer,
    metadata: {},
    userInfo: {},
    change: () => undefined,
    sign: (token) => signWith(key)(token),
    secrets: [],
    publicKey: async () => key.jwk,
    rotate: async () => {
      const sign = signWith(key);
      key = await makeKey();
      return sign;
    },
    authorize(authorizationUrl, claims) {
      const asked = new URL(authorizationUrl).searchParams;
      const read = (name: string) => asked.get(name) ?? "";
      assert(read("code_challenge_method") === "S256", "the client asks for PKCE with S256");
      const code = randomUUID();
      provider.secrets.push(code);
      grants.set(code, {
        challenge: read("code_challenge"),
        nonce: read("nonce"),
        redirectUri: read("redirect_uri"),
        claims,
      });
      return new URLSearchParams({ code, state: read("state"), iss: issuer }).toString();
    },
    reset() {
      provider.metadata = {};
      provider.userInfo = {};
      provider.change = () => undefined;
      provider.sign = (token) => signWith(key)(token);
    },
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = new URLSearchParams(Buffer.concat(chunks).toString());
    const [status, answer] = await answerTo(request.url ?? "", body, request);
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify(answer));
  }

  async function answerTo(
    path: string,
    body: URLSearchParams,
    { headers }: IncomingMessage,
  ): Promise<[number, unknown]> {
    switch (path) {
      case "/.well-known/openid-configuration":
        return [200, { ...describe(issuer), ...provider.metadata }];
      case "/keys":
        return [200, { keys: [key.jwk] }];
      case "/me":
        return [200, provider.userInfo];
      case "/token":
        return answerToken(body, headers.authorization);
      default:
        return [404, {}];
    }
  }

  async function answerToken(
    body: URLSearchParams,
    authorization: string | undefined,
  ): Promise<[number, unknown]> {
    const code = body.get("code") ?? "";
    const verifier = body.get("code_verifier") ?? "";
    provider.secrets.push(verifier);
    const grant = grants.get(code);
    grants.delete(code);
    const pair = Buffer.from(authorization?.replace("Basic ", "") ?? "", "base64").toString();
    const [id, secret] = pair.split(":").map(decodeURIComponent);
    if (id !== CLIENT_ID || secret !== CLIENT_SECRET) return [401, { error: "invalid_client" }];
    const challenge = createHash("sha256").update(verifier).digest("base64url");
    if (grant?.challenge !== challenge || grant.redirectUri !== body.get("redirect_uri")) {
      return [400, { error: "invalid_grant" }];
    }
    const now = Math.floor(nowMs() / 1000);
    const token: TokenParts = {
      header: { alg: "ES256", kid: key.jwk.kid },
      claims: {
        iss: issuer,
        aud: CLIENT_ID,
        iat: now,
        exp: now + 300,
        nonce: grant.nonce,
        ...grant.claims,
      },
    };
    provider.change(token);
    const idToken = await provider.sign(token);
    const accessToken = randomUUID();
    provider.secrets.push(idToken, accessToken);
    return [200, { access_token: accessToken, token_type: "Bearer", id_token: idToken }];
  }

  return provider;
}

async function makeKey() {
  const { publicKey, privateKey } = await generateKeyPair("ES256", { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid: randomUUID(), alg: "ES256", use: "sig" };
  return { privateKey, jwk };
}

const describe = (issuer: string) => ({
  issuer,
  authorization_endpoint: `${issuer}/auth`,
  token_endpoint: `${issuer}/token`,
  jwks_uri: `${issuer}/keys`,
  userinfo_endpoint: `${issuer}/me`,
  id_token_signing_alg_values_supported: ["ES256", "HS256", "none"],
  code_challenge_methods_supported: ["S256"],
  authorization_response_iss_parameter_supported: true,
});
