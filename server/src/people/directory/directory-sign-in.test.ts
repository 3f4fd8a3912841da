import { describe, expect, test } from "vitest";
import { inSignedTransaction } from "#src/signed-rows/signed-transaction.ts";
import { watchEvents } from "#test/harness/audit-events.ts";
import { totpCode } from "#test/harness/authenticator.ts";
import {
  begin,
  browse,
  change,
  complete,
  countRows,
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
import { ME, SIGN_IN } from "#test/harness/sign-in.ts";

prepareDirectory();

interface Me {
  member: { id: string; email: string; name: string; role: string };
  session_id: string;
  is_second_factor_required: boolean;
  stepped_up_until: string | null;
}

const codeOf = (answer: { error: { details?: { error_code?: string } } }) =>
  answer.error.details?.error_code;

async function setStatus(email: string, status: "deactivated" | "removed") {
  await inSignedTransaction(h.deps, (tx) =>
    tx.updateTable("member").set({ status }).where("email", "=", email).execute(),
  );
}

describe("a first sign-in", () => {
  test("creates a member with the default role, who is the same member ever after", async () => {
    const readEvents = await watchEvents(h.deps.database, org.id);
    const person = newPerson();
    const { browser, answer } = await signIn(person);
    expect(answer).toMatchObject({ status: 200, body: { type: "signed_in" } });
    const me = (await browser.get<Me>(ME)).body;
    expect(me.member).toMatchObject({ email: person.email, name: person.name, role: "user" });
    expect(await readEvents()).toMatchObject([
      { event: "member.created", after: { role: "user", directory_id: directoryId } },
      { event: "session.started", after: { method: "directory" } },
    ]);
    const renamed = { ...person, email: "other@elsewhere.example", name: "Another Name" };
    const again = await signIn(renamed);
    const { member } = (await again.browser.get<Me>(ME)).body;
    expect(member).toEqual(me.member);
  });

  test("gives the role and the workspaces of a pending invite, but never makes an owner", async () => {
    const person = newPerson();
    const workspace = await org.operator.createWorkspace();
    const workspaces = [{ workspace_id: workspace.id, workspace_role: "workspace_developer" }];
    const invite = (email: string, fields: object) =>
      org.operator.post("/v1/admin/invites", { emails: [email], ...fields });
    expect((await invite(person.email, { role: "developer", workspaces })).status).toBe(200);
    const { browser } = await signIn(person);
    const me = await browser.get<Me & { workspaces: object[] }>(ME);
    expect(me.body).toMatchObject({
      member: { role: "developer" },
      workspaces: [{ id: workspace.id }],
    });
    const owner = newPerson();
    await invite(owner.email, { role: "owner" });
    expect(codeOf((await signIn(owner)).answer)).toBe("directory_sign_in_refused");
  });

  test("reads an address that only the user info endpoint has", async () => {
    const { email, ...person } = newPerson();
    provider.userInfo = { sub: person.sub, email, email_verified: true };
    const { answer } = await signIn(person);
    expect(answer.status).toBe(200);
    provider.userInfo = { sub: "someone else", email: "owner@acme.example", email_verified: true };
    expect(codeOf((await signIn({ sub: "subject" })).answer)).toBe("directory_sign_in_failed");
  });
});

describe("a person is refused, and nothing changes:", () => {
  test.each([
    ["an unverified address", { email_verified: false }],
    ["an address without a statement about it", { email_verified: undefined }],
    ["a statement as text", { email_verified: "true" }],
    ["no address", { email: undefined }],
    ["another domain", { email: "ann@other.example" }],
    ["a domain below the allowed one", { email: "ann@sub.acme.example" }],
    ["a domain that contains the allowed one", { email: "ann@acme.example.evil.example" }],
    ["two at signs", { email: "ann@evil.example@acme.example" }],
  ])("%s", async (_, fields) => {
    const readEvents = await watchEvents(h.deps.database, org.id);
    const before = await countRows();
    const person = newPerson(fields);
    provider.userInfo = { sub: person.sub };
    const { answer } = await signIn(person);
    expect([answer.status, codeOf(answer)]).toEqual([403, "directory_sign_in_refused"]);
    await h.deps.background.waitUntilIdle();
    expect(await countRows()).toEqual(before);
    expect(await readEvents()).toMatchObject([
      { event: "directory.sign_in_refused", actor_type: "stranger" },
    ]);
  });

  test.each(["deactivated", "removed"] as const)("a member who was %s", async (status) => {
    const person = newPerson();
    const { browser } = await signIn(person);
    await setStatus(person.email, status);
    expect((await browser.get(ME)).status).toBe(401);
    const before = await countRows();
    expect(codeOf((await signIn(person)).answer)).toBe("member_deactivated");
    // The same address with another subject is no way back.
    const second = await signIn({ ...person, sub: "another subject" });
    expect(codeOf(second.answer)).toBe("member_deactivated");
    expect((await countRows()).members).toBe(before.members);
    expect((await countRows()).identities).toBe(before.identities);
  });

  test("a member whose domain is no longer allowed", async () => {
    const person = newPerson();
    await signIn(person);
    await change({ allowed_domains: ["new.example"] });
    expect(codeOf((await signIn(person)).answer)).toBe("directory_sign_in_refused");
  });

  test("a directory that was disabled after the sign-in began", async () => {
    const browser = browse();
    const response = provider.authorize(await begin(browser), newPerson());
    await change({ is_enabled: false });
    expect((await complete(browser, response)).status).toBe(404);
    expect((await browser.post(`${SIGN_IN}/directories/${directoryId}`, {})).status).toBe(404);
    const listed = await browser.get<{ data: { id: string }[] }>(`${SIGN_IN}/directories`);
    expect(listed.body.data.map(({ id }) => id)).not.toContain(directoryId);
  });
});

describe("the second factor", () => {
  const requireFactor = () =>
    org.operator.post("/v1/admin/security_settings", { second_factor: "all" });
  const isMissing = async (rule: string, claims: object) => {
    await change({ second_factor: rule });
    await requireFactor();
    const { browser } = await signIn(newPerson(claims));
    return (await browser.get<Me>(ME)).body.is_second_factor_required;
  };

  test("of the provider counts by its claims, always or never, by the rule", async () => {
    expect(await isMissing("claims", {})).toBe(true);
    expect(await isMissing("claims", { amr: ["pwd", "otp"] })).toBe(false);
    expect(await isMissing("trusted", {})).toBe(false);
    expect(await isMissing("here", { amr: ["mfa"] })).toBe(true);
  });

  test("of this server is asked for before the session starts", async () => {
    await change({ second_factor: "here" });
    const person = newPerson();
    const { browser: first } = await signIn(person);
    const totp = "/v1/admin/two_factor/totp";
    const { secret } = (await first.post<{ secret: string }>(totp)).body;
    expect((await first.post(`${totp}/confirm`, { code: totpCode(secret) })).status).toBe(200);
    const { browser, answer } = await signIn(person);
    expect(answer.body).toEqual({ type: "two_factor_required" });
    expect((await browser.get(ME)).status).toBe(401);
    const wrong = await browser.post(`${SIGN_IN}/two_factor`, { code: "000000" });
    expect(wrong.status).toBe(401);
    const [code] = (
      await first.post<{ backup_codes: string[] }>("/v1/admin/two_factor/backup_codes")
    ).body.backup_codes;
    const done = await browser.post(`${SIGN_IN}/two_factor`, { method: "backup_code", code });
    expect(done.status).toBe(200);
    const { session_id } = (await browser.get<Me>(ME)).body;
    const rows = await h.deps.database
      .selectFrom("directory_session")
      .selectAll()
      .where("session_id", "=", session_id)
      .execute();
    expect(rows).toMatchObject([{ directory_id: directoryId, subject: person.sub }]);
  });
});

test("the provider's time of the last proof decides about step-up", async () => {
  const seconds = (agoMs: number) => Math.floor((h.clock.nowMs - agoMs) / 1000);
  const until = async (claims: object) => {
    const { browser } = await signIn(newPerson(claims));
    return (await browser.get<Me>(ME)).body.stepped_up_until;
  };
  expect(await until({ auth_time: seconds(3_600_000) })).toBeNull();
  expect(await until({ auth_time: seconds(60_000) })).not.toBeNull();
});

test("a session names its directory, and a new sign-in there is a step-up", async () => {
  const person = newPerson({ auth_time: Math.floor(h.clock.nowMs / 1000) - 3_600 });
  const { browser } = await signIn(person);
  const me = await browser.get<Me & { directory: object | null }>(ME);
  expect(me.body).toMatchObject({ directory: { id: directoryId }, stepped_up_until: null });
  expect(await begin(browser)).not.toMatch(/prompt|max_age/);
  const url = await begin(browser, directoryId, { sign_in_again: true });
  expect(Object.fromEntries(new URL(url).searchParams)).toMatchObject({
    prompt: "login",
    max_age: "0",
  });
  const proved = { ...person, auth_time: Math.floor(h.clock.nowMs / 1000) };
  expect((await complete(browser, provider.authorize(url, proved))).status).toBe(200);
  expect((await browser.get<Me>(ME)).body.stepped_up_until).not.toBeNull();
});

test("a deleted directory ends the sessions that it started", async () => {
  const { browser } = await signIn(newPerson());
  expect((await org.operator.remove(`${DIRECTORIES}/${directoryId}`)).status).toBe(200);
  expect((await browser.get(ME)).status).toBe(401);
});

test("two directories with the same subjects have different people", async () => {
  const person = newPerson();
  const first = await signIn(person);
  const { startTestProvider } = await import("#test/harness/oidc-provider.ts");
  const other = await startTestProvider(() => h.clock.nowMs);
  const otherId = await createDirectory(other);
  const browser = browse();
  const response = other.authorize(await begin(browser, otherId), {
    ...newPerson(),
    sub: person.sub,
  });
  expect((await complete(browser, response, otherId)).status).toBe(200);
  const [one, two] = [
    (await first.browser.get<Me>(ME)).body.member.id,
    (await browser.get<Me>(ME)).body.member.id,
  ];
  expect(one).not.toBe(two);
  await other.close();
});
