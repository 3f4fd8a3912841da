import { afterAll, beforeAll, beforeEach, expect } from "vitest";
import { type AdminHarness, startAdmin, type TestMember, type TestOrganization } from "./admin.ts";
import { type Browser, type BrowserOptions, openBrowser } from "./browser.ts";
import { MEMBER_PASSWORD } from "./members.ts";

// For files about signing in: before each test an organization with Ada in it, who has a password. Whoever imports a name
// of these sees what it is now.

export const SIGN_IN = "/v1/admin/sign_in";
export const ME = "/v1/admin/session";

export let h: AdminHarness;
export let org: TestOrganization;
export let ada: TestMember;

/** Of the file that calls it: a file that shares its process with others has what is imported from before. */
export function prepareSignIn(): void {
  beforeAll(async () => {
    h = await startAdmin();
  });
  afterAll(async () => {
    await h.deps.background.settled();
    // What goes wrong after an answer is only told there.
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
/** Each comes from an address of its own, so that no test uses up another one's attempts. */
export const browse = (options: BrowserOptions = {}): Browser =>
  openBrowser(h.app, { remoteAddress: `198.51.100.${++lastAddress}`, ...options });

export const signInAs = (browser: Browser, email: string, password = MEMBER_PASSWORD) =>
  browser.post(SIGN_IN, { email, password });

/** A browser in which Ada has signed in. */
export async function signedIn(options: BrowserOptions = {}): Promise<Browser> {
  const browser = browse(options);
  expect((await signInAs(browser, ada.email)).status).toBe(200);
  return browser;
}
