import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Page } from "@playwright/test";
import Provider from "oidc-provider";

// A real OpenID provider on loopback, with its own pages for sign-in and consent.

const CLIENT_ID = "bursar";
const CLIENT_SECRET = "a-secret-of-the-test-provider";

const TTL_SECONDS = 600;
const artifacts = [
  "AccessToken",
  "AuthorizationCode",
  "Grant",
  "IdToken",
  "Interaction",
  "Session",
];

export interface RealProvider {
  issuer: string;
  client: { id: string; secret: string };
  /** Registers Bursar at the provider. Until then it answers no request. */
  register(client: { redirectUri: string; logoutUri: string }): void;
  /** Sets the groups of an account, for its next sign-in. */
  setGroups(login: string, groups: readonly string[]): void;
  close(): Promise<void>;
}

/** `accounts`: names by login. A login is the part of the address before the @. */
export async function startRealProvider(
  domain: string,
  accounts: Readonly<Record<string, string>>,
): Promise<RealProvider> {
  const groups = new Map<string, readonly string[]>();
  let answer: (request: IncomingMessage, response: ServerResponse) => void = (_, response) =>
    response.writeHead(404).end();
  const server = createServer((request, response) => answer(request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    issuer,
    client: { id: CLIENT_ID, secret: CLIENT_SECRET },
    setGroups: (login, names) => groups.set(login, names),
    register: ({ redirectUri, logoutUri }) => {
      answer = new Provider(issuer, {
        clients: [
          {
            client_id: CLIENT_ID,
            client_secret: CLIENT_SECRET,
            redirect_uris: [redirectUri],
            grant_types: ["authorization_code"],
            response_types: ["code"],
            backchannel_logout_uri: logoutUri,
            backchannel_logout_session_required: true,
          },
        ],
        cookies: { keys: ["a key of the test provider"] },
        pkce: { required: () => true },
        ttl: Object.fromEntries(artifacts.map((name) => [name, TTL_SECONDS])),
        claims: {
          ...{ openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
          groups: ["groups"],
        },
        features: { backchannelLogout: { enabled: true } },
        // The dispatcher of the provider refuses addresses of this machine, so it is left out.
        fetch: (url: string, { method, headers, body, redirect, signal }: RequestInit) =>
          fetch(url, {
            ...(method !== undefined && { method }),
            ...(headers !== undefined && { headers }),
            ...(redirect !== undefined && { redirect }),
            body: body ?? null,
            signal: signal ?? null,
          }),
        findAccount: (_: unknown, login: string) => ({
          accountId: login,
          claims: () => ({
            sub: login,
            email: `${login}@${domain}`,
            email_verified: true,
            name: accounts[login],
            groups: groups.get(login) ?? [],
          }),
        }),
      }).callback();
    },
    close: async () => {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Fonts that the provider's own pages ask for. */
export const PROVIDER_FONTS = "https://fonts.googleapis.com/";

/** Signs out on the provider's page, which reports the logout. */
export async function signOutAtProvider(page: Page, issuer: string): Promise<void> {
  await page.goto(`${issuer}/session/end`);
  await page.getByRole("button", { name: "Yes, sign me out" }).click();
  await page.getByText("Sign-out Success").waitFor();
}

/** Signs in on the provider's pages, and agrees. */
export async function signInAtProvider(page: Page, login: string): Promise<void> {
  await proveAtProvider(page, login);
  await page.getByRole("button", { name: "Continue" }).click();
}

/** Signs in on the provider's page. The provider asks for no consent that it has. */
export async function proveAtProvider(page: Page, login: string): Promise<void> {
  await page.locator("input[name=login]").fill(login);
  await page.locator("input[name=password]").fill("any password");
  await page.locator("button[type=submit]").click();
}
