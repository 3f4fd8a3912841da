import type { directory } from "@bursar/contract/admin/directories.ts";
import { afterAll, beforeAll, beforeEach, expect } from "vitest";
import type { z } from "zod";
import { makeGuardedClient } from "#src/lib/guarded-client.ts";
import { type AdminHarness, PUBLIC_URL, startAdmin, type TestOrganization } from "./admin.ts";
import { type Browser, openBrowser } from "./browser.ts";
import { CLIENT_ID, CLIENT_SECRET, startTestProvider, type TestProvider } from "./oidc-provider.ts";
import { SIGN_IN } from "./sign-in.ts";

// For test files about sign-in through a directory. Before each test it creates an organization with a directory. Importers see
// the current values.

export type Directory = z.output<typeof directory>;
export const DIRECTORIES = "/v1/admin/directories";

export let h: AdminHarness;
export let org: TestOrganization;
export let provider: TestProvider;
export let directoryId: string;

/** Registers the hooks in the file that calls it. */
export function prepareDirectory(): void {
  const providers: TestProvider[] = [];
  beforeAll(async () => {
    h = await startAdmin({
      client: makeGuardedClient({ allowed: ["127.0.0.1"] }),
      publicOrigin: PUBLIC_URL,
    });
  });
  afterAll(async () => {
    for (const each of providers) await each.close();
    const warnings = h.logs.filter((line) => (JSON.parse(line) as { level: number }).level >= 40);
    expect(warnings).toEqual([]);
    await h.close();
  });
  beforeEach(async () => {
    org = await h.organization("Acme");
    // Each test has its own provider, because the server caches what it has read.
    provider = await startTestProvider(() => h.clock.nowMs);
    providers.push(provider);
    directoryId = await createDirectory(provider);
  });
}

export async function createDirectory(of: TestProvider, fields: object = {}): Promise<string> {
  const made = await org.operator.post<Directory>(DIRECTORIES, {
    name: "Okta",
    issuer: of.issuer,
    client_id: CLIENT_ID,
    client_secret: CLIENT_SECRET,
    is_enabled: true,
    allowed_domains: ["acme.example"],
    ...fields,
  });
  expect(made.status).toBe(200);
  return made.body.id;
}

export const change = async (fields: object) => {
  const changed = await org.operator.post(`${DIRECTORIES}/${directoryId}`, fields);
  expect(changed.status).toBe(200);
};

let lastNumber = 0;
/** A person of the provider whom no other test knows. */
export function newPerson(fields: object = {}) {
  const number = ++lastNumber;
  return {
    sub: `subject-${number}`,
    email: `person-${number}@acme.example`,
    email_verified: true,
    name: `Person ${number}`,
    ...fields,
  };
}

export const browse = (): Browser =>
  openBrowser(h.app, { origin: PUBLIC_URL, remoteAddress: `203.0.113.${++lastNumber % 250}` });

const pathOf = (id: string) => `${SIGN_IN}/directories/${id}`;

/** Begins a sign-in. Returns the address at the provider. */
export async function begin(
  browser: Browser,
  id = directoryId,
  fields: object = {},
): Promise<string> {
  const begun = await browser.post<{ authorization_url: string }>(pathOf(id), { ...fields });
  expect(begun.status).toBe(200);
  return begun.body.authorization_url;
}

export const complete = (browser: Browser, response: string, id = directoryId) =>
  browser.post<{ type: string }>(`${pathOf(id)}/complete`, { response });

/** Signs the person in, from the first page to the answer. */
export async function signIn(person: Record<string, unknown>, browser = browse()) {
  const answer = await complete(browser, provider.authorize(await begin(browser), person));
  return { browser, answer };
}

/** Rows that a refused sign-in must not change. */
export async function countRows() {
  const count = async (table: "member" | "auth_session" | "directory_identity" | "auth_user") =>
    (await h.deps.database.selectFrom(table).selectAll().execute()).length;
  return {
    members: await count("member"),
    users: await count("auth_user"),
    sessions: await count("auth_session"),
    identities: await count("directory_identity"),
  };
}
