import { describe, expect, test } from "vitest";
import { PUBLIC_URL } from "#test/harness/admin.ts";
import { makeAuthenticator } from "#test/harness/authenticator.ts";
import type { Browser } from "#test/harness/browser.ts";
import {
  browse,
  h,
  newPerson,
  org,
  prepareDirectory,
  signIn,
} from "#test/harness/directory-sign-in.ts";
import { MEMBER_PASSWORD } from "#test/harness/members.ts";
import { pollTokens, postForm, type StartedSignIn } from "#test/harness/oauth.ts";
import { nextAddress } from "#test/harness/route-samples/subjects.ts";
import { SIGN_IN } from "#test/harness/sign-in.ts";

// A step-up can replace the session of the browser. The code stays open in that browser, and only there.

prepareDirectory();

const STEP_UP_LASTS_MS = 600_000;
const PASSKEYS = "/v1/admin/passkeys";
const STEP_UP = "/v1/admin/step_up";

async function createWorkspace(): Promise<string> {
  const { body } = await org.operator.post<{ id: string }>("/v1/admin/workspaces", { name: "Lab" });
  await org.operator.post(`/v1/admin/workspaces/${body.id}`, { personal_keys: "everyone" });
  return body.id;
}

async function start(): Promise<StartedSignIn> {
  const fields = { surface: "claude_code" };
  const remoteAddress = nextAddress();
  return (await postForm<StartedSignIn>(h, "device_authorization", fields, { remoteAddress })).body;
}

const look = (browser: Browser, code: string) =>
  browser.get(`/v1/admin/device_authorizations/${code}`);

async function approve(browser: Browser, code: string, workspaceId: string) {
  const path = `/v1/admin/device_authorizations/${code}/approve`;
  const { status, error } = await browser.post(path, { workspace_id: workspaceId });
  return error.details?.error_code ?? status;
}

describe("a code that a browser has opened", () => {
  test("can be approved there after a new sign-in at the directory", async () => {
    const workspaceId = await createWorkspace();
    const person = newPerson();
    const { browser } = await signIn(person);
    h.clock.nowMs += STEP_UP_LASTS_MS + 1;
    const { user_code, device_code } = await start();
    expect((await look(browser, user_code)).status).toBe(200);
    expect(await approve(browser, user_code, workspaceId)).toBe("step_up_required");
    // Another browser of the same person does not get the code.
    const { browser: other } = await signIn(person);
    expect(await approve(other, user_code, workspaceId)).toBe("resource_not_found");

    await signIn(person, browser);
    expect(await approve(browser, user_code, workspaceId)).toBe(200);
    expect((await pollTokens(h, device_code)).status).toBe(200);
  });

  test("stays closed for another person who signs in there", async () => {
    const workspaceId = await createWorkspace();
    const { browser } = await signIn(newPerson());
    const { user_code } = await start();
    expect((await look(browser, user_code)).status).toBe(200);
    await signIn(newPerson(), browser);
    expect(await approve(browser, user_code, workspaceId)).toBe("resource_not_found");
  });

  test("can be approved there after a step-up with a passkey", async () => {
    const workspaceId = await createWorkspace();
    const ada = await org.member({ role: "user" });
    const browser = browse();
    await browser.post(SIGN_IN, { email: ada.email, password: MEMBER_PASSWORD });
    const authenticator = makeAuthenticator();
    const offered = await browser.post<{ options: never }>(`${PASSKEYS}/options`);
    const passkey = authenticator.create(offered.body.options, PUBLIC_URL);
    expect((await browser.post(PASSKEYS, { name: "Key", passkey })).status).toBe(200);
    h.clock.nowMs += STEP_UP_LASTS_MS + 1;
    const { user_code } = await start();
    expect((await look(browser, user_code)).status).toBe(200);
    const asked = await browser.post<{ options: never }>(`${STEP_UP}/passkey/options`);
    const proof = authenticator.get(asked.body.options, PUBLIC_URL);
    expect((await browser.post(STEP_UP, { passkey: proof })).status).toBe(200);
    expect(await approve(browser, user_code, workspaceId)).toBe(200);
  });
});
