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
  /** Enables an authenticator app for the member. */
  .extend("enable", ({ browse }) => async (): Promise<Enabled> => {
    const browser = browse();
    await signIn(browser);
    const { body } = await browser.post<{ secret: string; backup_codes: string[] }>(TOTP);
    const usedCode = totpCode(body.secret);
    const confirmed = await browser.post(`${TOTP}/confirm`, { code: usedCode });
    expect(confirmed.body).toEqual({ type: "two_factor_enabled" });
    return { browser, secret: body.secret, usedCode, backupCodes: body.backup_codes };
  })
  /** Signs in with the password only, so that the second factor is pending. */
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
  /** Code of the confirmation, already used. */
  usedCode: string;
  backupCodes: string[];
}

/**
 * Another valid code than that of the confirmation, one step ahead of the app. Codes of one step before and after are
 * accepted. A code of the step before could expire during the test.
 */
const nextCode = (secret: string) => totpCode(secret, 1);

const wrongCode = (secret: string) => {
  const right = [-1, 0, 1, 2].map((step) => totpCode(secret, step));
  const codes = ["000000", "111111", "222222", "333333", "444444"];
  return codes.find((code) => !right.includes(code)) ?? "";
};

describe("an authenticator app", () => {
  test("is required only after its first correct code", async ({ browse }) => {
    const browser = browse();
    await signIn(browser);
    const { body } = await browser.post<{ secret: string }>(TOTP);
    expect(await signIn(browse())).toBe("signed_in");
    const wrong = await browser.post(`${TOTP}/confirm`, { code: wrongCode(body.secret) });
    expect([wrong.status, wrong.error.message]).toEqual([
      400,
      "code: it is incorrect. Use the next one.",
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

  test("shows the member's address in the app", async ({ h, org }) => {
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

  test("grants no access with the password alone", async ({ enable, half }) => {
    await enable();
    const browser = await half();
    expect(browser.cookies.has("bursar_session")).toBe(false);
    expect((await browser.get(ME)).status).toBe(401);
  });

  test("signs in with the password and a code", async ({ h, org, enable, half }) => {
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

  test("accepts each code once, across browsers and concurrent calls", async ({ enable, half }) => {
    const { secret, usedCode } = await enable();
    const browsers = [await half(), await half(), await half()];
    const code = nextCode(secret);
    const answers = await Promise.all(browsers.map((browser) => browser.post(CODE, { code })));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 401, 401]);
    const late = await half();
    const answer = await late.post(CODE, { code });
    expect([answer.status, answer.error.message]).toEqual([
      401,
      "This code is incorrect or was already used.",
    ]);
    expect((await late.get(ME)).status).toBe(401);
    // The confirmation's code is used up as well.
    expect((await (await half()).post(CODE, { code: usedCode })).status).toBe(401);
  });

  test("rejects a code without the cookie of the password step", async ({ browse, enable }) => {
    const { secret } = await enable();
    const answer = await browse().post(CODE, { code: nextCode(secret) });
    expect(answer.status).toBe(401);
  });

  test("does not accept a code in a signed-in browser as a sign-in", async ({ enable }) => {
    const { browser, secret } = await enable();
    const answer = await browser.post(CODE, { code: nextCode(secret) });
    expect(answer.status).toBe(401);
  });

  test("ends the pending sign-in after five wrong codes, and limits further codes for the account", async ({
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

  test("does not slow the member's own browser down when a stranger has the password", async ({
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

  test("is not required after removal, which requires step-up", async ({
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

  test("cannot be replaced while in use, or confirmed before its creation", async ({
    org,
    enable,
  }) => {
    const { browser, secret } = await enable();
    expect((await browser.post(TOTP)).status).toBe(409);
    expect((await browser.post(`${TOTP}/confirm`, { code: nextCode(secret) })).status).toBe(409);
    const grace = await org.member({});
    expect((await grace.client.post(`${TOTP}/confirm`, { code: "123456" })).status).toBe(409);
  });

  test("keeps the session's expiry when it is confirmed", async ({ h, browse }) => {
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

  test("sign in one of two concurrent browsers", async ({ enable, half }) => {
    const { backupCodes } = await enable();
    const browsers = [await half(), await half()];
    const answers = await Promise.all(
      browsers.map((browser) => useCode(browser, backupCodes[0] ?? "")),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 401]);
  });

  test("are revoked when new ones are created", async ({ enable, half }) => {
    const { browser, backupCodes } = await enable();
    const made = await browser.post<{ backup_codes: string[] }>(
      "/v1/admin/two_factor/backup_codes",
    );
    expect(made.body.backup_codes).toHaveLength(10);
    expect((await useCode(await half(), backupCodes[0] ?? "")).status).toBe(401);
    expect((await useCode(await half(), made.body.backup_codes[0] ?? "")).status).toBe(200);
  });
});

test("stores the secret, codes and pending sign-ins in no table in clear", async ({
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
