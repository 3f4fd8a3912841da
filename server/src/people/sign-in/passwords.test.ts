import { describe, expect } from "vitest";
import { PUBLIC_URL, type TestMember } from "#test/harness/admin.ts";
import { test as base } from "#test/harness/admin-test.ts";
import { watchEvents } from "#test/harness/audit-events.ts";
import { totpCode } from "#test/harness/authenticator.ts";
import { type Browser, openBrowser } from "#test/harness/browser.ts";
import { MEMBER_PASSWORD } from "#test/harness/members.ts";

const RESET = "/v1/admin/password_reset";
const CONFIRM = `${RESET}/confirm`;
const ME = "/v1/admin/session";
const NEW = "another good sentence to keep";

const test = base
  .extend("org", ({ h }) => h.organization("Acme"))
  .extend("people", ({ h, org }) => {
    const browse = () => openBrowser(h.app, { remoteAddress: `198.51.100.${++lastAddress}` });

    async function signedIn(): Promise<Browser> {
      const browser = browse();
      expect(await signIn(browser, MEMBER_PASSWORD)).toBe(200);
      return browser;
    }

    /** Messages to the address, oldest first, as the operator can read them. */
    async function mailTo(email: string): Promise<Mail[]> {
      await h.deps.background.waitUntilIdle();
      const { body } = await org.operator.get<{ data: { id: string; to: string }[] }>(
        "/v1/admin/mail",
      );
      const ids = body.data.filter(({ to }) => to === email).map(({ id }) => id);
      const mails: Mail[] = [];
      for (const id of ids.reverse()) {
        mails.push((await org.operator.get<Mail>(`/v1/admin/mail/${id}`)).body);
      }
      return mails;
    }

    async function askForLink(member = ada): Promise<string> {
      await browse().post(RESET, { email: member.email });
      const mail = (await mailTo(member.email)).at(-1);
      return /#token=(\S+)/.exec(mail?.body?.text ?? "")?.[1] ?? "";
    }

    return { browse, signedIn, mailTo, askForLink };
  });

let ada: TestMember;
let lastAddress = 0;
test.beforeEach(async ({ org }) => {
  ada = await org.member({ role: "developer" });
});

const signIn = async (browser: Browser, password: string, member = ada) =>
  (await browser.post("/v1/admin/sign_in", { email: member.email, password })).status;

interface Mail {
  to: string;
  kind: string;
  subject: string;
  body: { text: string } | null;
}

describe("changing the own password", () => {
  const change = (browser: Browser, current_password: string, new_password: string) =>
    browser.post("/v1/admin/password", { current_password, new_password });

  test("ends all other sessions, and the new password signs in", async ({ h, org, people }) => {
    const events = await watchEvents(h.deps.database, org.id);
    const here = await people.signedIn();
    const there = await people.signedIn();
    const before = here.cookies.get("bursar_session");
    const answer = await change(here, MEMBER_PASSWORD, NEW);
    expect(answer.body).toEqual({ type: "password_changed", ended_sessions: 2 });
    expect(here.cookies.get("bursar_session")).not.toBe(before);
    expect([(await here.get(ME)).status, (await there.get(ME)).status]).toEqual([200, 401]);
    expect(await signIn(people.browse(), MEMBER_PASSWORD)).toBe(401);
    expect(await signIn(people.browse(), NEW)).toBe(200);
    const changed = (await events()).filter(({ event }) => event === "password.changed");
    expect(changed.map(({ actor_id, after }) => [actor_id, after])).toEqual([
      [ada.id, { by: "the member", ended_sessions: 2 }],
    ]);
  });

  test("requires the old password, and limits attempts", async ({ people }) => {
    const browser = await people.signedIn();
    for (let i = 0; i < 8; i++) {
      const answer = await change(browser, `guess number ${i}`, NEW);
      expect([answer.status, answer.error.message]).toEqual([400, "The password is incorrect."]);
    }
    expect((await change(browser, MEMBER_PASSWORD, NEW)).status).toBe(429);
  });

  test.for([
    ["short pass", "password: expected at least 12 characters."],
    ["x".repeat(201), "password: expected at most 200 characters."],
    ["aaaaaaaaaaaaaaaa", "password: expected at least 5 different characters."],
    [
      "Password-2026!",
      "password: it is easy to guess: it consists of common words or patterns, your name, your address or your organization. Use four or more random words, or a password manager.",
    ],
    [MEMBER_PASSWORD, "new_password: it is your current password."],
  ] as const)("%s is refused", async ([password, message], { people }) => {
    const answer = await change(await people.signedIn(), MEMBER_PASSWORD, password);
    expect([answer.status, answer.error.message]).toEqual([400, message]);
  });

  test("follows the organization's minimum length, also with a link", async ({ org, people }) => {
    const settings = "/v1/admin/security_settings";
    for (const min_password_length of [11, 65, null]) {
      expect((await org.admin.post(settings, { min_password_length })).status).toBe(400);
    }
    await org.admin.post(settings, { min_password_length: 40 });
    const message = "password: expected at least 40 characters.";
    const token = await people.askForLink();
    const link = await people.browse().post(CONFIRM, { token, password: NEW });
    expect([link.status, link.error.message]).toEqual([400, message]);
    // The member's current password is shorter, and stays valid.
    const answer = await change(await people.signedIn(), MEMBER_PASSWORD, NEW);
    expect([answer.status, answer.error.message]).toEqual([400, message]);
    await org.admin.post(settings, { min_password_length: 12 });
    expect((await change(await people.signedIn(), MEMBER_PASSWORD, NEW)).status).toBe(200);
  });

  test("revokes pending links and sign-ins", async ({ people }) => {
    const token = await people.askForLink();
    await change(await people.signedIn(), MEMBER_PASSWORD, NEW);
    const answer = await people.browse().post(CONFIRM, { token, password: `${NEW} 2` });
    expect(answer.status).toBe(400);
  });
});

describe("password reset", () => {
  test("sets a new password with the link of a message, and ends all sessions", async ({
    h,
    org,
    people,
  }) => {
    const events = await watchEvents(h.deps.database, org.id);
    const other = await people.signedIn();
    const asked = await people.browse().post(RESET, { email: ada.email.toUpperCase() });
    expect([asked.status, asked.body]).toEqual([200, { type: "password_reset_requested" }]);
    const [mail] = await people.mailTo(ada.email);
    expect(mail).toMatchObject({ kind: "password_reset", subject: "Set a new password" });
    const link = /\S+#token=\S+/.exec(mail?.body?.text ?? "")?.[0] ?? "";
    expect(link.startsWith(`${PUBLIC_URL}/reset#token=`)).toBe(true);
    const browser = people.browse();
    const token = link.split("#token=")[1] ?? "";
    const answer = await browser.post(CONFIRM, { token, password: NEW });
    expect(answer.body).toEqual({ type: "password_changed" });
    expect((await other.get(ME)).status).toBe(401);
    expect((await browser.get(ME)).status).toBe(401); // a sign-in must follow
    expect(await signIn(browser, MEMBER_PASSWORD)).toBe(401);
    expect(await signIn(browser, NEW)).toBe(200);
    const shown = (await events()).map(({ event, actor_type }) => [event, actor_type]);
    expect(shown).toEqual([
      ["session.started", "member"],
      ["password_reset.requested", "stranger"],
      ["mail.read", "local_operator"],
      ["password.changed", "member"],
      ["sign_in.failed", "stranger"],
      ["session.started", "member"],
    ]);
  });

  test("answers alike for an unknown address, and sends nothing", async ({ people }) => {
    const answer = await people.browse().post(RESET, { email: "unknown@example.com" });
    expect([answer.status, answer.body]).toEqual([200, { type: "password_reset_requested" }]);
    expect(await people.mailTo("unknown@example.com")).toEqual([]);
  });

  test("accepts a link once, also in concurrent calls", async ({ people }) => {
    const token = await people.askForLink();
    const answers = await Promise.all(
      [1, 2, 3].map((i) => people.browse().post(CONFIRM, { token, password: `${NEW} ${i}` })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 400, 400]);
    const again = await people.browse().post(CONFIRM, { token, password: `${NEW} 4` });
    expect([again.status, again.error.message]).toEqual([
      400,
      "This link was already used or has expired. Request another one.",
    ]);
  });

  test("keeps the link valid after a refused password", async ({ people }) => {
    const token = await people.askForLink();
    expect((await people.browse().post(CONFIRM, { token, password: "too short" })).status).toBe(
      400,
    );
    expect((await people.browse().post(CONFIRM, { token, password: NEW })).status).toBe(200);
  });

  test("rejects altered and expired links and links of deactivated members", async ({
    h,
    people,
  }) => {
    const token = await people.askForLink();
    const altered = `${token.slice(0, -1)}${token.endsWith("a") ? "b" : "a"}`;
    expect((await people.browse().post(CONFIRM, { token: altered, password: NEW })).status).toBe(
      400,
    );
    const db = h.deps.database;
    const setStatus = (status: "active" | "deactivated") =>
      db.updateTable("member").set({ status }).where("id", "=", ada.id).execute();
    await setStatus("deactivated");
    expect((await people.browse().post(CONFIRM, { token, password: NEW })).status).toBe(400);
    await setStatus("active");
    const expires = () =>
      db
        .selectFrom("auth_verification")
        .select("expires_at")
        .where("value", "=", ada.id)
        .executeTakeFirstOrThrow();
    const inMs = (await expires()).expires_at.getTime() - Date.now();
    expect(Math.abs(inMs - 3_600_000)).toBeLessThan(60_000);
    await db
      .updateTable("auth_verification")
      .set({ expires_at: new Date(Date.now() - 1) })
      .where("value", "=", ada.id)
      .execute();
    expect((await people.browse().post(CONFIRM, { token, password: NEW })).status).toBe(400);
    expect(await signIn(people.browse(), MEMBER_PASSWORD)).toBe(200);
  });

  test("sends no message to a deactivated member", async ({ h, people }) => {
    await h.deps.database
      .updateTable("member")
      .set({ status: "deactivated" })
      .where("id", "=", ada.id)
      .execute();
    await people.browse().post(RESET, { email: ada.email });
    expect(await people.mailTo(ada.email)).toEqual([]);
  });

  test("sends at most three messages to one address, and answers further requests alike", async ({
    h,
    people,
  }) => {
    for (let i = 0; i < 6; i++) {
      expect((await people.browse().post(RESET, { email: ada.email })).status).toBe(200);
    }
    expect(await people.mailTo(ada.email)).toHaveLength(3);
    h.clock.nowMs += 600_000;
    await people.browse().post(RESET, { email: ada.email });
    expect(await people.mailTo(ada.email)).toHaveLength(4);
  });

  test("stores the token in no table in clear", async ({ h, people }) => {
    const token = await people.askForLink();
    expect(token.length).toBeGreaterThanOrEqual(24);
    const { rows } = await h.deps.database.executeQuery<{ row: string }>(
      h.deps.database.selectFrom("auth_verification").selectAll().compile(),
    );
    expect(JSON.stringify(rows)).not.toContain(token);
    for (const line of h.logs) expect(line).not.toContain(token);
  });

  test("does not bypass the second factor", async ({ people }) => {
    const browser = await people.signedIn();
    const totp = "/v1/admin/two_factor/totp";
    const { body } = await browser.post<{ secret: string }>(totp);
    await browser.post(`${totp}/confirm`, { code: totpCode(body.secret) });
    await people.browse().post(CONFIRM, { token: await people.askForLink(), password: NEW });
    const answer = await people
      .browse()
      .post("/v1/admin/sign_in", { email: ada.email, password: NEW });
    expect(answer.body).toEqual({ type: "two_factor_required" });
  });

  test("lifts the limit that strangers' attempts put on a browser", async ({ people }) => {
    for (let i = 0; i < 12; i++) await signIn(people.browse(), `guess number ${i}`);
    const browser = people.browse();
    expect(await signIn(browser, MEMBER_PASSWORD)).toBe(429);
    await browser.post(CONFIRM, { token: await people.askForLink(), password: NEW });
    expect(await signIn(browser, NEW)).toBe(200);
  });
});
