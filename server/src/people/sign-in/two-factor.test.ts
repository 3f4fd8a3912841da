import { describe, expect } from "vitest";
import type { TestMember } from "#test/harness/admin.ts";
import { test as base } from "#test/harness/admin-test.ts";
import { watchEvents } from "#test/harness/audit-events.ts";
import { totpCode } from "#test/harness/authenticator.ts";
import { type Browser, openBrowser } from "#test/harness/browser.ts";
import { MEMBER_PASSWORD } from "#test/harness/members.ts";

const SIGN_IN = "/v1/admin/sign_in";
const CODE = "/v1/admin/sign_in/two_factor";
const TOTP = "/v1/admin/two_factor/totp";
const ME = "/v1/admin/session";

const test = base
  .extend("org", ({ h }) => h.organization("Acme"))
  .extend(
    "browse",
    ({ h }) =>
      () =>
        openBrowser(h.app, { remoteAddress: `198.51.100.${++lastAddress}` }),
  )
  /** The member uses an authenticator app from now on. */
  .extend("enable", ({ browse }) => async (): Promise<Enabled> => {
    const browser = browse();
    await signIn(browser);
    const { body } = await browser.post<{ secret: string; backup_codes: string[] }>(TOTP);
    const usedCode = totpCode(body.secret);
    const confirmed = await browser.post(`${TOTP}/confirm`, { code: usedCode });
    expect(confirmed.body).toEqual({ type: "two_factor_enabled" });
    return { browser, secret: body.secret, usedCode, backupCodes: body.backup_codes };
  })
  /** Waits for the second factor. */
  .extend("half", ({ browse }) => async (): Promise<Browser> => {
    const browser = browse();
    expect(await signIn(browser)).toBe("two_factor_required");
    return browser;
  });

let ada: TestMember;
let lastAddress = 0;
test.beforeEach(async ({ org }) => {
  ada = await org.member({ role: "admin" });
});

async function signIn(browser: Browser, member = ada): Promise<string> {
  const body = { email: member.email, password: MEMBER_PASSWORD };
  return (await browser.post<{ type: string }>(SIGN_IN, body)).body.type;
}

interface Enabled {
  browser: Browser;
  secret: string;
  /** Of the confirmation: it is used up. */
  usedCode: string;
  backupCodes: string[];
}

/**
 * Another code than that of the confirmation, and as right: one step ahead of the app. Codes of a step before and after
 * are taken, so that it stays right when the next step begins before it is looked at; one of the step before would not.
 */
const nextCode = (secret: string) => totpCode(secret, 1);

const wrongCode = (secret: string) => {
  const right = [-1, 0, 1, 2].map((step) => totpCode(secret, step));
  const codes = ["000000", "111111", "222222", "333333", "444444"];
  return codes.find((code) => !right.includes(code)) ?? "";
};

describe("an authenticator app", () => {
  test("is asked for from its first right code on, and not before", async ({ browse }) => {
    const browser = browse();
    await signIn(browser);
    const { body } = await browser.post<{ secret: string }>(TOTP);
    expect(await signIn(browse())).toBe("signed_in");
    const wrong = await browser.post(`${TOTP}/confirm`, { code: wrongCode(body.secret) });
    expect([wrong.status, wrong.error.message]).toEqual([
      400,
      "code: it is not right. Wait for the next one.",
    ]);
    expect(await signIn(browse())).toBe("signed_in");
    await browser.post(`${TOTP}/confirm`, { code: totpCode(body.secret) });
    expect(await signIn(browse())).toBe("two_factor_required");
    expect((await browser.get<{ two_factor: object }>(ME)).body.two_factor).toEqual({
      is_enabled: true,
      backup_codes_left: 10,
      passkeys: 0,
    });
  });

  test("shows in the app whose code it is", async ({ h, org }) => {
    const grace = await org.member({ email: "o'brien+x@example.com" });
    const { body } = await grace.client.post<{ secret: string; uri: string }>(TOTP);
    expect(body.uri).toBe(
      `otpauth://totp/Bursar%3Ao'brien%2Bx%40example.com?secret=${body.secret}&issuer=Bursar&digits=6&period=30`,
    );
    await h.deps.database
      .updateTable("member")
      .set({ status: "removed" })
      .where("id", "=", grace.id)
      .execute();
  });

  test("the password alone opens nothing", async ({ enable, half }) => {
    await enable();
    const browser = await half();
    expect(browser.cookies.has("bursar_session")).toBe(false);
    expect((await browser.get(ME)).status).toBe(401);
  });

  test("the password and its code sign in", async ({ h, org, enable, half }) => {
    const { secret } = await enable();
    const events = await watchEvents(h.deps.database, org.id);
    const browser = await half();
    const answer = await browser.post(CODE, { code: nextCode(secret) });
    expect(answer.body).toEqual({ type: "signed_in" });
    expect((await browser.get(ME)).status).toBe(200);
    expect((await events()).map(({ event, after }) => [event, after])).toEqual([
      ["session.started", { method: "totp", device: "Firefox on Linux" }],
    ]);
  });

  test("each code counts once: in another browser, and at the same moment", async ({
    enable,
    half,
  }) => {
    const { secret, usedCode } = await enable();
    const browsers = [await half(), await half(), await half()];
    const code = nextCode(secret);
    const answers = await Promise.all(browsers.map((browser) => browser.post(CODE, { code })));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 401, 401]);
    const late = await half();
    const answer = await late.post(CODE, { code });
    expect([answer.status, answer.error.message]).toEqual([
      401,
      "This code is not right, or it was used before.",
    ]);
    expect((await late.get(ME)).status).toBe(401);
    // The code of the confirmation was used up too.
    expect((await (await half()).post(CODE, { code: usedCode })).status).toBe(401);
  });

  test("a code without the cookie of the password is nothing", async ({ browse, enable }) => {
    const { secret } = await enable();
    const answer = await browse().post(CODE, { code: nextCode(secret) });
    expect(answer.status).toBe(401);
  });

  test("a code in a browser that is signed in does not stand for a sign-in", async ({ enable }) => {
    const { browser, secret } = await enable();
    const answer = await browser.post(CODE, { code: nextCode(secret) });
    expect(answer.status).toBe(401);
  });

  test("five wrong codes end the sign-in that waits, and more are slowed down for the account", async ({
    h,
    enable,
    half,
  }) => {
    const { secret } = await enable();
    const browser = await half();
    for (let i = 0; i < 5; i++) {
      expect((await browser.post(CODE, { code: wrongCode(secret) })).status).toBe(401);
    }
    const held = await (await half()).post(CODE, { code: nextCode(secret) });
    expect([held.status, held.headers["retry-after"]]).toEqual([429, "300"]);
    h.clock.nowMs += 300_000;
    expect((await (await half()).post(CODE, { code: nextCode(secret) })).status).toBe(200);
  });

  test("a stranger with the password does not slow down the member's own browser", async ({
    enable,
    half,
  }) => {
    const { browser, secret } = await enable();
    const stranger = await half();
    for (let i = 0; i < 6; i++) await stranger.post(CODE, { code: wrongCode(secret) });
    await browser.post("/v1/admin/sign_out");
    expect(await signIn(browser)).toBe("two_factor_required");
    expect((await browser.post(CODE, { code: nextCode(secret) })).status).toBe(200);
  });

  test("stops being asked for when it is removed, which needs a fresh proof", async ({
    h,
    org,
    browse,
    enable,
  }) => {
    const { browser } = await enable();
    h.clock.nowMs += 600_001;
    expect((await browser.remove(TOTP)).status).toBe(403);
    await browser.post("/v1/admin/step_up", { password: MEMBER_PASSWORD });
    const events = await watchEvents(h.deps.database, org.id);
    expect((await browser.remove(TOTP)).body).toEqual({ type: "two_factor_disabled" });
    expect(await signIn(browse())).toBe("signed_in");
    expect((await browser.get(ME)).status).toBe(200);
    expect((await events()).map(({ event }) => event)).toEqual([
      "two_factor.disabled",
      "session.started",
    ]);
    expect((await browser.remove(TOTP)).status).toBe(409);
  });

  test("is not replaced by accident, nor confirmed without having begun", async ({
    org,
    enable,
  }) => {
    const { browser, secret } = await enable();
    expect((await browser.post(TOTP)).status).toBe(409);
    expect((await browser.post(`${TOTP}/confirm`, { code: nextCode(secret) })).status).toBe(409);
    const grace = await org.member({});
    expect((await grace.client.post(`${TOTP}/confirm`, { code: "123456" })).status).toBe(409);
  });

  test("confirming keeps the session's end where it was", async ({ h, browse }) => {
    const browser = browse();
    await signIn(browser);
    const begun = h.clock.nowMs;
    h.clock.nowMs += 300_000;
    const { body } = await browser.post<{ secret: string }>(TOTP);
    await browser.post(`${TOTP}/confirm`, { code: totpCode(body.secret) });
    const { data } = (
      await browser.get<{ data: { is_current: boolean; started_at: string }[] }>(
        "/v1/admin/sessions",
      )
    ).body;
    expect(data.find(({ is_current }) => is_current)?.started_at).toBe(
      new Date(begun).toISOString(),
    );
  });
});

describe("backup codes", () => {
  const useCode = (browser: Browser, code: string) =>
    browser.post(CODE, { method: "backup_code", code });

  test("sign in once each", async ({ enable, half }) => {
    const { backupCodes, browser } = await enable();
    const [first = "", second = ""] = backupCodes;
    expect(new Set(backupCodes).size).toBe(10);
    expect((await useCode(await half(), first)).status).toBe(200);
    expect((await useCode(await half(), first)).status).toBe(401);
    expect((await useCode(await half(), second)).status).toBe(200);
    const { two_factor } = (await browser.get<{ two_factor: object }>(ME)).body;
    expect(two_factor).toMatchObject({ backup_codes_left: 8 });
  });

  test("one at the same moment in two browsers signs in one of them", async ({ enable, half }) => {
    const { backupCodes } = await enable();
    const browsers = [await half(), await half()];
    const answers = await Promise.all(
      browsers.map((browser) => useCode(browser, backupCodes[0] ?? "")),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 401]);
  });

  test("stop when new ones are made", async ({ enable, half }) => {
    const { browser, backupCodes } = await enable();
    const made = await browser.post<{ backup_codes: string[] }>(
      "/v1/admin/two_factor/backup_codes",
    );
    expect(made.body.backup_codes).toHaveLength(10);
    expect((await useCode(await half(), backupCodes[0] ?? "")).status).toBe(401);
    expect((await useCode(await half(), made.body.backup_codes[0] ?? "")).status).toBe(200);
  });
});

test("the secret, the codes and what waits are in no table in clear", async ({
  h,
  enable,
  half,
}) => {
  const { secret, backupCodes } = await enable();
  const browser = await half();
  const waiting = browser.cookies.get("bursar.two_factor")?.split(".")[0] ?? "";
  expect(waiting).not.toBe("");
  const db = h.deps.database;
  const rows = JSON.stringify([
    await db.selectFrom("auth_two_factor").selectAll().execute(),
    await db.selectFrom("auth_verification").selectAll().execute(),
    await db.selectFrom("audit_event").select(["before", "after"]).execute(),
  ]);
  const raw = Buffer.from(secret).toString("utf8");
  for (const text of [secret, raw, waiting, ...backupCodes]) expect(rows).not.toContain(text);
});
