import { afterAll, beforeAll, beforeEach, expect } from "vitest";
import { inSignedTransaction } from "#src/signed-rows/signed-transaction.ts";
import { type AdminHarness, startAdmin, type TestMember, type TestOrganization } from "./admin.ts";
import { type Browser, type BrowserOptions, openBrowser } from "./browser.ts";
import { MEMBER_PASSWORD } from "./members.ts";

// For test files about sign-in. Before each test it creates an organization with a member Ada and her password.
// Importers see the current values.

export const SIGN_IN = "/v1/admin/sign_in";
export const ME = "/v1/admin/session";

export let h: AdminHarness;
export let org: TestOrganization;
export let ada: TestMember;

/** Registers the hooks in the file that calls it. Files that share a process import this module only once. */
export function prepareSignIn(): void {
  beforeAll(async () => {
    h = await startAdmin();
  });
  afterAll(async () => {
    await h.deps.background.waitUntilIdle();
    // Only the log reports faults after a response.
    const warnings = h.logs.filter((line) => (JSON.parse(line) as { level: number }).level >= 40);
    expect(warnings).toEqual([]);
    await h.close();
  });
  beforeEach(async () => {
    org = await h.organization("Acme");
    ada = await org.member({ role: "developer" });
  });
}

let lastAddress = 0;
/** Opens a browser with its own address. Tests then do not share their attempts. */
export const browse = (options: BrowserOptions = {}): Browser => {
  const number = ++lastAddress;
  const remoteAddress = `198.51.${100 + (number >> 8)}.${number & 255}`;
  return openBrowser(h.app, { remoteAddress, ...options });
};

export const signInAs = (browser: Browser, email: string, password = MEMBER_PASSWORD) =>
  browser.post(SIGN_IN, { email, password });

/** Opens a browser in which Ada has signed in. */
export async function signedIn(options: BrowserOptions = {}): Promise<Browser> {
  const browser = browse(options);
  expect((await signInAs(browser, ada.email)).status).toBe(200);
  return browser;
}

export async function setStatus(member: TestMember, status: "active" | "deactivated" | "removed") {
  await inSignedTransaction(h.deps, (tx) =>
    tx.updateTable("member").set({ status }).where("id", "=", member.id).execute(),
  );
}

export async function countSessions(member: TestMember): Promise<number> {
  const rows = await h.deps.database
    .selectFrom("auth_session")
    .select("id")
    .where("user_id", "=", member.id)
    .execute();
  return rows.length;
}
