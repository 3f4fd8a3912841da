import { beforeEach, describe, expect, test } from "vitest";
import type { TestMember } from "#test/harness/admin.ts";
import { watchEvents } from "#test/harness/audit-events.ts";
import { totpCode } from "#test/harness/authenticator.ts";
import type { Browser } from "#test/harness/browser.ts";
import {
  browse,
  change,
  countRows,
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

const LINK = `${SIGN_IN}/directory_link`;
let ada: TestMember;
let person: ReturnType<typeof newPerson>;
beforeEach(async () => {
  person = newPerson();
  ada = await org.member({ role: "admin", email: person.email });
});

const codeOf = (answer: { error: { details?: { error_code?: string } } }) =>
  answer.error.details?.error_code;
const signInWithPassword = (browser: Browser) =>
  browser.post(SIGN_IN, { email: ada.email, password: MEMBER_PASSWORD });
const idOf = async (browser: Browser) =>
  (await browser.get<{ member: { id: string } }>(ME)).body.member.id;

/** Comes back from the provider with the address of Ada. */
async function arrive(): Promise<Browser> {
  const { browser, answer } = await signIn(person);
  expect(answer.body).toEqual({ type: "link_required" });
  expect((await browser.get(ME)).status).toBe(401);
  return browser;
}

async function readMailToken(): Promise<string> {
  const { body } = await org.operator.get<{ data: { id: string; to: string }[] }>("/v1/admin/mail");
  const id = body.data.find(({ to }) => to === ada.email)?.id ?? "";
  const mail = await org.operator.get<{ body: { text: string } }>(`/v1/admin/mail/${id}`);
  return /login\/link#token=(\S+)/.exec(mail.body.body.text)?.[1] ?? "";
}

/** Expects that the person still is not linked. */
async function expectUnlinked(): Promise<void> {
  expect((await signIn(person)).answer.body).toEqual({ type: "link_required" });
}

describe("the member with the same address", () => {
  test("is linked in a session that began with a password, and signs in through the directory then", async () => {
    const browser = await arrive();
    const readEvents = await watchEvents(h.deps.database, org.id);
    expect((await signInWithPassword(browser)).status).toBe(200);
    expect((await browser.post(LINK, {})).body).toEqual({ type: "signed_in" });
    expect((await readEvents()).at(-1)).toMatchObject({
      event: "directory.linked",
      actor_id: ada.id,
      after: { directory_id: directoryId, by: "a session" },
    });
    const again = await signIn({ ...person, email: "changed@elsewhere.example" });
    expect(again.answer.body).toEqual({ type: "signed_in" });
    expect(await idOf(again.browser)).toBe(ada.id);
    expect(codeOf(await browser.post(LINK, {}))).toBe("sign_in_expired");
  });

  test("is linked by a message to the address, which signs in", async () => {
    const browser = await arrive();
    expect((await browser.post(`${LINK}/mail`)).status).toBe(200);
    const token = await readMailToken();
    expect((await browser.post(LINK, { token })).body).toEqual({ type: "signed_in" });
    expect(await idOf(browser)).toBe(ada.id);
    expect((await signIn(person)).answer.body).toEqual({ type: "signed_in" });
  });

  test("is never linked silently, nor by a session of someone else", async () => {
    const before = await countRows();
    const browser = await arrive();
    expect((await countRows()).identities).toBe(before.identities);
    expect(codeOf(await browser.post(LINK, {}))).toBe("session_expired");
    const eve = await org.member({ role: "owner" });
    await browser.post(SIGN_IN, { email: eve.email, password: MEMBER_PASSWORD });
    expect(codeOf(await browser.post(LINK, {}))).toBe("sign_in_expired");
    await expectUnlinked();
  });

  test("needs a recent proof in the session", async () => {
    const browser = browse();
    await signInWithPassword(browser);
    h.clock.nowMs += 11 * 60_000;
    expect((await signIn(person, browser)).answer.body).toEqual({ type: "link_required" });
    expect(codeOf(await browser.post(LINK, {}))).toBe("step_up_required");
    expect((await browser.post("/v1/admin/step_up", { password: MEMBER_PASSWORD })).status).toBe(
      200,
    );
    expect((await browser.post(LINK, {})).status).toBe(200);
  });

  test("is not linked by the message in another browser, nor by a guess", async () => {
    const browser = await arrive();
    await browser.post(`${LINK}/mail`);
    const token = await readMailToken();
    expect(codeOf(await browse().post(LINK, { token }))).toBe("sign_in_expired");
    const other = (await signIn(person)).browser;
    expect(codeOf(await other.post(LINK, { token }))).toBe("link_invalid");
    expect(codeOf(await browser.post(LINK, { token: "a guess" }))).toBe("link_invalid");
    await expectUnlinked();
    expect((await browser.post(LINK, { token })).status).toBe(200);
    expect(codeOf(await browser.post(LINK, { token }))).toBe("sign_in_expired");
  });

  test("is not linked after ten minutes", async () => {
    const browser = await arrive();
    await browser.post(`${LINK}/mail`);
    const token = await readMailToken();
    h.clock.nowMs += 10 * 60_000;
    expect(codeOf(await browser.post(LINK, { token }))).toBe("link_invalid");
    expect(codeOf(await browser.post(`${LINK}/mail`))).toBe("sign_in_expired");
  });

  test("is not linked after the directory stopped admitting the address", async () => {
    const browser = await arrive();
    await signInWithPassword(browser);
    await change({ allowed_domains: ["other.example"] });
    expect(codeOf(await browser.post(LINK, {}))).toBe("directory_sign_in_refused");
    await change({ allowed_domains: ["acme.example"], is_enabled: false });
    expect((await browser.post(LINK, {})).status).toBe(404);
    await change({ is_enabled: true });
    await expectUnlinked();
  });

  test("belongs to one person of the directory only", async () => {
    const browser = await arrive();
    await signInWithPassword(browser);
    await browser.post(LINK, {});
    const second = await signIn({ ...person, sub: "a second account" });
    expect([second.answer.status, codeOf(second.answer)]).toEqual([409, "address_taken"]);
    expect(provider.secrets.length).toBeGreaterThan(0);
  });

  test("still needs the own authenticator app after a message", async () => {
    await change({ second_factor: "here" });
    const totp = "/v1/admin/two_factor/totp";
    const { secret } = (await ada.client.post<{ secret: string }>(totp)).body;
    await ada.client.post(`${totp}/confirm`, { code: totpCode(secret) });
    const browser = await arrive();
    await browser.post(`${LINK}/mail`);
    const answer = await browser.post(LINK, { token: await readMailToken() });
    expect(answer.body).toEqual({ type: "two_factor_required" });
    expect((await browser.get(ME)).status).toBe(401);
  });
});

test("messages to one address are limited", async () => {
  const statuses: number[] = [];
  for (let i = 0; i < 4; i++) {
    statuses.push((await (await arrive()).post(`${LINK}/mail`)).status);
  }
  expect(statuses).toEqual([200, 200, 200, 429]);
});
