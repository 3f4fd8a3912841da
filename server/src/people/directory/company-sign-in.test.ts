import { beforeEach, describe, expect, test } from "vitest";
import { PUBLIC_URL } from "#test/harness/admin.ts";
import { watchEvents } from "#test/harness/audit-events.ts";
import { type Authenticator, makeAuthenticator, totpCode } from "#test/harness/authenticator.ts";
import type { Browser } from "#test/harness/browser.ts";
import {
  browse,
  change,
  createDirectory,
  DIRECTORIES,
  directoryId,
  h,
  newPerson,
  org,
  prepareDirectory,
  provider,
  signIn,
} from "#test/harness/directory-sign-in.ts";
import { MEMBER_PASSWORD } from "#test/harness/members.ts";
import { ME, SIGN_IN } from "#test/harness/sign-in.ts";

prepareDirectory();

const SETTINGS = "/v1/admin/security_settings";
const codeOf = (answer: { error: { details?: { error_code?: string } } }) =>
  answer.error.details?.error_code;
const turnOn = (client: Pick<Browser, "post">) =>
  client.post<{ company_sign_in_only: boolean }>(SETTINGS, { company_sign_in_only: true });
const idOf = async (browser: Browser) =>
  (await browser.get<{ member: { id: string } }>(ME)).body.member.id;
const signInWithPassword = (email: string, browser = browse()) =>
  browser.post(SIGN_IN, { email, password: MEMBER_PASSWORD });

/** Signs a new owner in through the directory. */
async function signInOwner() {
  const person = newPerson();
  const { browser } = await signIn(person);
  await org.operator.post(`/v1/admin/members/${await idOf(browser)}`, { role: "owner" });
  return { person, browser };
}

describe("the rule for company sign-in", () => {
  test("is turned on only by an owner in a session of an enabled directory", async () => {
    const withPassword = await org.member({ role: "owner" });
    expect(codeOf(await turnOn(withPassword.client))).toBe("company_sign_in_required");
    expect(codeOf(await turnOn(org.operator))).toBe("company_sign_in_required");
    expect((await turnOn(org.admin)).status).toBe(403);
    const { browser } = await signInOwner();
    await org.operator.post(`/v1/admin/members/${await idOf(browser)}`, { role: "admin" });
    expect(codeOf(await turnOn(browser))).toBe("permission_denied");
    await org.operator.post(`/v1/admin/members/${await idOf(browser)}`, { role: "owner" });
    await change({ is_enabled: false });
    expect(codeOf(await turnOn(browser))).toBe("company_sign_in_required");
    await change({ is_enabled: true });
    expect((await turnOn(browser)).body.company_sign_in_only).toBe(true);
  });

  test("needs a step-up", async () => {
    const { browser } = await signInOwner();
    h.clock.nowMs += 11 * 60_000;
    expect(codeOf(await turnOn(browser))).toBe("step_up_required");
  });
});

describe("while the rule is on", () => {
  let owner: Awaited<ReturnType<typeof signInOwner>>;
  beforeEach(async () => {
    owner = await signInOwner();
  });

  test("sessions without a directory end at once, and passwords start none", async () => {
    const readEvents = await watchEvents(h.deps.database, org.id);
    const ada = await org.member({ role: "developer" });
    expect((await ada.client.get(ME)).status).toBe(200);
    await turnOn(owner.browser);
    expect((await ada.client.get(ME)).status).toBe(401);
    expect((await owner.browser.get(ME)).status).toBe(200);
    expect(codeOf(await signInWithPassword(ada.email))).toBe("company_sign_in_required");
    const wrong = await browse().post(SIGN_IN, { email: ada.email, password: "a wrong guess" });
    expect(codeOf(wrong)).toBe("credentials_incorrect");
    expect((await readEvents()).find(({ event }) => event.startsWith("security"))).toMatchObject({
      before: { company_sign_in_only: false },
      after: { company_sign_in_only: true, ended_sessions: 1 },
    });
  });

  test("a session reports whether its member can use a password", async () => {
    const readState = async ({ get }: Pick<Browser, "get">) =>
      (await get<{ password_state: string }>(ME)).body.password_state;
    const ada = await org.member({ role: "developer" });
    expect(await readState(ada.client)).toBe("usable");
    expect(await readState(owner.browser)).toBe("missing");
    await turnOn(owner.browser);
    expect(await readState(owner.browser)).toBe("refused");
  });

  test("a session without a directory that starts meanwhile is refused", async () => {
    const ada = await org.member({ role: "developer" });
    const query = h.deps.database
      .updateTable("security_settings")
      .set({ company_sign_in_only: true });
    await turnOn(owner.browser);
    await owner.browser.post(SETTINGS, { company_sign_in_only: false });
    const late = browse();
    await signInWithPassword(ada.email, late);
    await query.where("organization_id", "=", org.id).execute();
    expect((await late.get(ME)).status).toBe(401);
  });

  test("invites, password changes, resets, links and step-ups with a password are refused", async () => {
    const invited = await org.operator.post<{ results: { link: string }[] }>("/v1/admin/invites", {
      emails: ["invited@acme.example"],
      role: "user",
    });
    const token = /#token=(.+)/.exec(invited.body.results[0]?.link ?? "")?.[1] ?? "";
    const ada = await org.member({ role: "developer", email: newPerson().email });
    const reset = await org.operator.post<{ url: string }>(
      `/v1/admin/members/${ada.id}/reset_link`,
    );
    const resetToken = /#token=(.+)/.exec(reset.body.url)?.[1] ?? "";
    await turnOn(owner.browser);
    const required = "company_sign_in_required";
    const visitor = browse();
    const offer = await visitor.post("/v1/admin/invites/lookup", { token });
    expect(offer.body).toMatchObject({ company_sign_in_only: true });
    const password = "correct horse battery 9 staple";
    const accept = { token, name: "Invited", password };
    expect(codeOf(await visitor.post("/v1/admin/invites/accept", accept))).toBe(required);
    const confirm = { token: resetToken, password };
    expect(codeOf(await visitor.post("/v1/admin/password_reset/confirm", confirm))).toBe(required);
    const link = await org.operator.post(`/v1/admin/members/${ada.id}/reset_link`);
    expect(codeOf(link)).toBe(required);
    const ownerInvite = { emails: ["chief@acme.example"], role: "owner" };
    expect(codeOf(await org.operator.post("/v1/admin/invites", ownerInvite))).toBe(required);
    const { browser } = owner;
    const proof = { password: MEMBER_PASSWORD };
    expect(codeOf(await browser.post("/v1/admin/step_up", proof))).toBe(required);
    const changed = { current_password: MEMBER_PASSWORD, new_password: password };
    expect(codeOf(await browser.post("/v1/admin/password", changed))).toBe(required);
    // The invite still gives its role at the first sign-in.
    const joined = await signIn(newPerson({ email: "invited@acme.example" }));
    expect(joined.answer.status).toBe(200);
  });

  test("a passkey signs no one in, and steps up in a session of the directory", async () => {
    const authenticator = makeAuthenticator();
    const { browser } = owner;
    const ask = async <Options>(from: Browser, url: string) =>
      (await from.post<{ options: Options }>(url)).body.options;
    type Created = Parameters<Authenticator["create"]>[0];
    type Proved = Parameters<Authenticator["get"]>[0];
    const created = await ask<Created>(browser, "/v1/admin/passkeys/options");
    const passkey = authenticator.create(created, PUBLIC_URL);
    expect((await browser.post("/v1/admin/passkeys", { name: "Key", passkey })).status).toBe(200);
    await turnOn(browser);
    const visitor = browse();
    const offered = await ask<Proved>(visitor, `${SIGN_IN}/passkey/options`);
    const proof = authenticator.get(offered, PUBLIC_URL);
    const refused = await visitor.post(`${SIGN_IN}/passkey`, { passkey: proof });
    expect(codeOf(refused)).toBe("company_sign_in_required");
    const again = await ask<Proved>(browser, "/v1/admin/step_up/passkey/options");
    const stepUp = { passkey: authenticator.get(again, PUBLIC_URL) };
    expect((await browser.post("/v1/admin/step_up", stepUp)).status).toBe(200);
    expect((await browser.get(ME)).status).toBe(200);
  });

  test("an authenticator app of Bursar completes the company sign-in", async () => {
    await change({ second_factor: "here" });
    const totp = "/v1/admin/two_factor/totp";
    const { secret } = (await owner.browser.post<{ secret: string }>(totp)).body;
    await owner.browser.post(`${totp}/confirm`, { code: totpCode(secret) });
    const codes = "/v1/admin/two_factor/backup_codes";
    const [code] = (await owner.browser.post<{ backup_codes: string[] }>(codes)).body.backup_codes;
    await turnOn(owner.browser);
    const { browser, answer } = await signIn(owner.person);
    expect(answer.body).toEqual({ type: "two_factor_required" });
    const done = await browser.post(`${SIGN_IN}/two_factor`, { method: "backup_code", code });
    expect(done.status).toBe(200);
    expect((await browser.get(ME)).status).toBe(200);
  });

  test("a message about a forgotten password is not sent", async () => {
    const ada = await org.member({ role: "developer" });
    await turnOn(owner.browser);
    const asked = await browse().post("/v1/admin/password_reset", { email: ada.email });
    expect(asked.status).toBe(200);
    await h.deps.background.waitUntilIdle();
    const { body } = await org.operator.get<{ data: { to: string }[] }>("/v1/admin/mail");
    expect(body.data.filter(({ to }) => to === ada.email)).toEqual([]);
  });

  test("the last enabled directory stays", async () => {
    await turnOn(owner.browser);
    const disable = () => org.operator.post(`${DIRECTORIES}/${directoryId}`, { is_enabled: false });
    expect(codeOf(await disable())).toBe("company_sign_in_required");
    expect(codeOf(await org.operator.remove(`${DIRECTORIES}/${directoryId}`))).toBe(
      "company_sign_in_required",
    );
    await createDirectory({ ...provider, issuer: "https://other.example.com" });
    expect((await disable()).status).toBe(200);
  });

  test("an owner and the operator can turn it off", async () => {
    await turnOn(owner.browser);
    const off = { company_sign_in_only: false };
    expect((await owner.browser.post(SETTINGS, off)).status).toBe(200);
    await turnOn(owner.browser);
    expect((await org.operator.post(SETTINGS, off)).status).toBe(200);
    const ada = await org.member({ role: "developer" });
    expect((await signInWithPassword(ada.email)).status).toBe(200);
  });

  test("the operator lets an owner in for a day, also one without a password", async () => {
    await turnOn(owner.browser);
    const readEvents = await watchEvents(h.deps.database, org.id);
    const made = await org.operator.post<{ url: string }>("/v1/admin/owners/reset", {
      email: owner.person.email,
    });
    const token = /#token=(.+)/.exec(made.body.url)?.[1] ?? "";
    const password = "correct horse battery 9 staple";
    const browser = browse();
    const confirmed = await browser.post("/v1/admin/password_reset/confirm", { token, password });
    expect(confirmed.status).toBe(200);
    const signedIn = await browser.post(SIGN_IN, { email: owner.person.email, password });
    expect(signedIn.body).toEqual({ type: "signed_in" });
    expect((await browser.get(ME)).status).toBe(200);
    expect((await browser.post("/v1/admin/step_up", { password })).status).toBe(200);
    expect((await readEvents())[0]).toMatchObject({
      event: "owner.reset",
      actor_type: "local_operator",
      after: { password_allowed_until: new Date(h.clock.nowMs + 86_400_000).toISOString() },
    });
    h.clock.nowMs += 86_400_000;
    expect((await browser.get(ME)).status).toBe(401);
    const late = await browse().post(SIGN_IN, { email: owner.person.email, password });
    expect(codeOf(late)).toBe("company_sign_in_required");
  });
});
