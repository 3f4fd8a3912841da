import { scryptSync } from "node:crypto";
import { describe, expect, test } from "vitest";
import { SESSION_MS } from "#src/access/sessions.ts";
import { makeAdminApp } from "#src/http/app.ts";
import { watchEvents } from "#test/harness/audit-events.ts";
import { type Browser, openBrowser } from "#test/harness/browser.ts";
import { MEMBER_PASSWORD } from "#test/harness/members.ts";
import {
  ada,
  browse,
  countSessions,
  h,
  ME,
  org,
  prepareSignIn,
  SIGN_IN,
  setStatus,
  signedIn,
  signInAs,
} from "#test/harness/sign-in.ts";

prepareSignIn();

const WRONG = {
  type: "authentication_error",
  message: "The address or the password is incorrect.",
  details: { error_code: "credentials_incorrect" },
};

test("lists active owners, then admins, to a signed-in member", async () => {
  const [admin, owner, gone] = [
    await org.member({ role: "admin", name: "Alan Turing" }),
    await org.member({ role: "owner", name: "Grace Hopper" }),
    await org.member({ role: "owner", name: "Kurt Gödel" }),
  ];
  await h.deps.database
    .updateTable("member")
    .set({ status: "deactivated" })
    .where("id", "=", gone.id)
    .execute();
  const { body } = await (await signedIn()).get<{ administrators: object[] }>(ME);
  expect(body.administrators).toEqual([
    { name: "Grace Hopper", email: owner.email },
    { name: "Alan Turing", email: admin.email },
  ]);
});

describe("sign-in with a password", () => {
  test("starts a session of the member and records an audit event", async () => {
    const events = await watchEvents(h.deps.database, org.id);
    const browser = browse();
    const answer = await signInAs(browser, ada.email);
    expect([answer.status, answer.body]).toEqual([200, { type: "signed_in" }]);
    const me = await browser.get<{ member: object; session_id: string }>(ME);
    expect(me.body.member).toEqual({
      id: ada.id,
      email: ada.email,
      name: "Ada Lovelace",
      role: "developer",
    });
    expect(await events()).toEqual([
      {
        event: "session.started",
        actor_type: "member",
        actor_id: ada.id,
        subject_type: "session",
        workspace_id: null,
        before: null,
        after: { method: "password", device: "Firefox on Linux" },
      },
    ]);
  });

  test("accepts the address in any case and with surrounding spaces", async () => {
    expect((await signInAs(browse(), `  ${ada.email.toUpperCase()} `)).status).toBe(200);
  });

  test("sets cookies that scripts, other sites and plain connections cannot read", async () => {
    const plain = await signedIn();
    expect(plain.lastSetCookies.map(({ name, attributes }) => [name, attributes])).toEqual([
      ["bursar_session", ["HttpOnly", "Max-Age=2592000", "Path=/", "SameSite=Strict"]],
      ["bursar_device", ["HttpOnly", "Max-Age=31536000", "Path=/", "SameSite=Strict"]],
    ]);
    const origin = "https://bursar.example.com";
    const app = await makeAdminApp({ ...h.deps, publicOrigin: origin });
    const secure = openBrowser(app, { origin, remoteAddress: "203.0.113.1" });
    await signInAs(secure, ada.email);
    expect(secure.lastSetCookies.map(({ name, attributes }) => [name, attributes])).toEqual([
      [
        "__Host-bursar_session",
        ["HttpOnly", "Max-Age=2592000", "Path=/", "SameSite=Strict", "Secure"],
      ],
      [
        "__Host-bursar_device",
        ["HttpOnly", "Max-Age=31536000", "Path=/", "SameSite=Strict", "Secure"],
      ],
    ]);
    expect((await secure.get(ME)).status).toBe(200);
    // A neighbouring subdomain can plant a cookie with the plain name. A session over TLS does not accept it.
    const token = secure.cookies.get("__Host-bursar_session") ?? "";
    secure.cookies.clear();
    secure.cookies.set("bursar_session", token);
    expect((await secure.get(ME)).status).toBe(401);
    await app.close();
  });

  test.each([
    "o'brien+x@example.com",
    "a!#$%&*/=?^_`{|}~b@example.com",
    "ann@xn--e1afmkfd.xn--p1ai",
  ])("works with every address that can be invited: %s", async (email) => {
    const { id } = await org.member({ email });
    expect((await signInAs(browse(), email)).body).toEqual({ type: "signed_in" });
    await h.deps.database
      .updateTable("member")
      .set({ status: "removed" })
      .where("id", "=", id)
      .execute();
  });

  test("hashes a password of an earlier version again, and the password stays valid", async () => {
    const salt = "00112233445566778899aabbccddeeff";
    const options = { N: 16_384, r: 16, p: 1, maxmem: 64 * 1024 * 1024 };
    const earlier = `${salt}:${scryptSync(MEMBER_PASSWORD, salt, 64, options).toString("hex")}`;
    const account = h.deps.database.updateTable("auth_account").where("user_id", "=", ada.id);
    await account.set({ password: earlier }).execute();
    const read = async () =>
      (
        await h.deps.database
          .selectFrom("auth_account")
          .select("password")
          .where("user_id", "=", ada.id)
          .executeTakeFirstOrThrow()
      ).password;
    expect((await signInAs(browse(), ada.email, "not the password")).status).toBe(401);
    await h.deps.background.waitUntilIdle();
    expect(await read()).toBe(earlier);
    await signedIn();
    await h.deps.background.waitUntilIdle();
    expect(await read()).toMatch(/^scrypt\$2\$8\$1\$/);
    await signedIn();
  });

  test("starts a new session each time and does not reuse an existing one", async () => {
    const browser = browse();
    browser.cookies.set("bursar_session", "planted.c2lnbmF0dXJl");
    await signInAs(browser, ada.email);
    const first = browser.cookies.get("bursar_session");
    expect(first).not.toContain("planted");
    await signInAs(browser, ada.email);
    expect(browser.cookies.get("bursar_session")).not.toBe(first);
  });
});

describe("a refusal reveals nothing", () => {
  test("is the same for an unknown address, a wrong password and a member without a password", async () => {
    const invited = await org.member({});
    await h.deps.database.deleteFrom("auth_account").where("user_id", "=", invited.id).execute();
    const answers = [
      await signInAs(browse(), "unknown@example.com"),
      await signInAs(browse(), ada.email, "not the password"),
      await signInAs(browse(), ada.email, "x".repeat(900)),
      await signInAs(browse(), invited.email),
    ];
    for (const { status, error, headers } of answers) {
      expect([status, error, headers["set-cookie"]]).toEqual([401, WRONG, undefined]);
    }
  });

  test("hashes a password in each case, so that response times match", async () => {
    const { passwordCost: _, ...deps } = h.deps;
    const app = await makeAdminApp(deps);
    const time = async (email: string, password: string) => {
      const started = process.cpuUsage();
      await signInAs(openBrowser(app, { remoteAddress: "198.51.100.250" }), email, password);
      // Sums user and system time, because the kernel only estimates the division between them.
      const { user, system } = process.cpuUsage(started);
      return user + system;
    };
    // A hash takes at least 50 ms of CPU time, and the rest of a request a few ms.
    expect(await time("unknown@example.com", "not the password")).toBeGreaterThan(20_000);
    expect(await time(ada.email, "not the password")).toBeGreaterThan(20_000);
    await app.close();
  });

  test("mentions a deactivation only after the correct password", async () => {
    await setStatus(ada, "deactivated");
    expect((await signInAs(browse(), ada.email, "not the password")).error).toEqual(WRONG);
    const answer = await signInAs(browse(), ada.email);
    expect([answer.status, answer.error.message, answer.headers["set-cookie"]]).toEqual([
      403,
      "Your access to this organization has been deactivated. An Owner or Admin can restore it.",
      undefined,
    ]);
    expect(await countSessions(ada)).toBe(1); // the harness's session
  });

  test("refuses SQL, a NUL and huge texts without an internal error", async () => {
    const tries: [object, number][] = [
      [{ email: "a' OR '1'='1", password: "x" }, 400],
      [{ email: "%@example.com", password: "x" }, 401],
      [{ email: "a@example.com", password: "' OR 1=1 --" }, 401],
      [{ email: "a@example.com", password: "a\0b" }, 400],
      [{ email: `${"a".repeat(300)}@example.com`, password: "x" }, 400],
      [{ email: "a@example.com", password: "x".repeat(1_001) }, 400],
      [{ email: "a@example.com", password: "x", member_id: ada.id }, 400],
      [{ email: ["a@example.com"], password: { $ne: "" } }, 400],
    ];
    for (const [body, status] of tries) {
      const answer = await browse().post(SIGN_IN, body);
      expect([body, answer.status]).toEqual([body, status]);
    }
  });
});

describe("sign-in from other origins", () => {
  const body = () => ({ email: ada.email, password: MEMBER_PASSWORD });
  test.each([
    ["no Origin", { origin: "" }, 403],
    ["another site", { origin: "https://evil.example" }, 403],
    ["another port of this machine", { origin: "http://localhost:9999" }, 403],
    ["an opaque origin", { origin: "null" }, 403],
    ["no header of the console", { "x-bursar-console": "" }, 401],
    ["a form", { "content-type": "application/x-www-form-urlencoded" }, 400],
    ["a form of another kind", { "content-type": "text/plain" }, 400],
    [
      "a host that is not this machine's",
      { host: "evil.example", origin: "http://evil.example" },
      403,
    ],
  ] as [string, Record<string, string>, number][])("%s", async (_, headers, status) => {
    const answer = await browse().post(SIGN_IN, body(), headers);
    expect([answer.status, answer.headers["set-cookie"]]).toEqual([status, undefined]);
  });

  test("rejects a change from another origin despite a session", async () => {
    const browser = await signedIn();
    for (const headers of [{ origin: "https://evil.example" }, { origin: "" }]) {
      const answer = await browser.post("/v1/admin/sign_out", undefined, headers);
      expect(answer.status).toBe(403);
    }
    expect((await browser.get(ME)).status).toBe(200);
  });
});

describe("step-up", () => {
  const STEP_UP = "/v1/admin/step_up";
  const guarded = (browser: Browser) => browser.post("/v1/admin/two_factor/totp");

  test("is valid for ten minutes after sign-in, and the password renews it for ten more", async () => {
    const browser = await signedIn();
    expect((await guarded(browser)).status).toBe(200);
    h.clock.nowMs += 600_001;
    const asked = await guarded(browser);
    expect([asked.status, asked.headers["bursar-step-up"]]).toEqual([403, "required"]);
    const wrong = await browser.post(STEP_UP, { password: "not the password" });
    expect([wrong.status, wrong.error.message]).toEqual([400, "The password is incorrect."]);
    expect((await guarded(browser)).status).toBe(403);
    const answer = await browser.post(STEP_UP, { password: MEMBER_PASSWORD });
    const until = new Date(h.clock.nowMs + 600_000).toISOString();
    expect(answer.body).toEqual({ type: "stepped_up", until });
    expect((await guarded(browser)).status).toBe(200);
    expect((await browser.get<{ stepped_up_until: string }>(ME)).body.stepped_up_until).toBe(until);
  });

  test("counts only for the session that made it", async () => {
    const here = await signedIn();
    const there = await signedIn();
    h.clock.nowMs += 600_001;
    await here.post(STEP_UP, { password: MEMBER_PASSWORD });
    expect((await guarded(there)).status).toBe(403);
  });

  test("limits guesses at an unlocked screen", async () => {
    const browser = await signedIn();
    for (let i = 0; i < 8; i++) {
      expect((await browser.post(STEP_UP, { password: `guess number ${i}` })).status).toBe(400);
    }
    const answer = await browser.post(STEP_UP, { password: MEMBER_PASSWORD });
    expect([answer.status, answer.headers["retry-after"]]).toEqual([429, "30"]);
    h.clock.nowMs += 30_000;
    expect((await browser.post(STEP_UP, { password: MEMBER_PASSWORD })).status).toBe(200);
  });

  test("records failures in the audit log", async () => {
    const events = await watchEvents(h.deps.database, org.id);
    const browser = await signedIn();
    await browser.post(STEP_UP, { password: "not the password" });
    await h.deps.background.waitUntilIdle();
    expect((await events()).map(({ event }) => event)).toEqual([
      "session.started",
      "sign_in.failed",
    ]);
  });

  test("accepts exactly one proof", async () => {
    const browser = await signedIn();
    expect((await browser.post(STEP_UP, {})).status).toBe(400);
  });
});

describe("guesses", () => {
  test("at one account are limited across all addresses until time passes", async () => {
    for (let i = 0; i < 8; i++) {
      expect((await signInAs(browse(), ada.email, `guess number ${i}`)).status).toBe(401);
    }
    const answer = await signInAs(browse(), ada.email);
    expect([answer.status, answer.error, answer.headers["retry-after"]]).toEqual([
      429,
      {
        type: "rate_limit_error",
        message: "Too many failed attempts. Try again in 60 seconds.",
        details: { error_code: "too_many_attempts", retry_after_seconds: 60 },
      },
      "60",
    ]);
    h.clock.nowMs += 60_000;
    expect((await signInAs(browse(), ada.email)).status).toBe(200);
  });

  test("at an unknown address are limited alike, so the limit reveals no members", async () => {
    const answers = [];
    for (let i = 0; i < 9; i++) answers.push(await signInAs(browse(), "stranger@example.com"));
    expect(answers.map(({ status }) => status)).toEqual([...Array(8).fill(401), 429]);
  });

  test("do not lock the member out of a known browser", async () => {
    const known = await signedIn();
    await known.post("/v1/admin/sign_out");
    for (let i = 0; i < 12; i++) await signInAs(browse(), ada.email, `guess number ${i}`);
    expect((await signInAs(browse(), ada.email)).status).toBe(429);
    expect((await signInAs(known, ada.email)).status).toBe(200);
  });

  test("with a device cookie of one member are limited for other members", async () => {
    const mallory = await org.member({});
    const browser = browse();
    await signInAs(browser, mallory.email);
    for (let i = 0; i < 8; i++) await signInAs(browse(), ada.email, `guess number ${i}`);
    expect((await signInAs(browser, ada.email)).status).toBe(429);
  });

  test("in a known browser are limited too", async () => {
    const known = await signedIn();
    for (let i = 0; i < 8; i++) await signInAs(known, ada.email, `guess number ${i}`);
    expect((await signInAs(known, ada.email)).status).toBe(429);
  });

  test("from one address are limited across accounts", async () => {
    const remoteAddress = "203.0.113.99";
    for (let i = 0; i < 100; i++) {
      const answer = await signInAs(browse({ remoteAddress }), `person-${i}@example.com`);
      expect(answer.status).toBe(401);
    }
    const held = await signInAs(browse({ remoteAddress }), ada.email);
    expect([held.status, held.headers["retry-after"]]).toEqual([429, "6"]);
    expect((await signInAs(browse(), ada.email)).status).toBe(200);
  });

  test("from one subscriber's IPv6 network share one limit", async () => {
    for (let i = 0; i < 100; i++) {
      await signInAs(browse({ remoteAddress: `2001:db8:1:2::${i}` }), `someone-${i}@example.com`);
    }
    expect(
      (await signInAs(browse({ remoteAddress: "2001:db8:1:2:ffff::1" }), ada.email)).status,
    ).toBe(429);
    expect((await signInAs(browse({ remoteAddress: "2001:db8:1:3::1" }), ada.email)).status).toBe(
      200,
    );
  });

  test("at the same moment count separately", async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) => signInAs(browse(), ada.email, `guess number ${i}`)),
    );
    const statuses = answers.map(({ status }) => status).sort();
    expect(statuses).toEqual([...Array(8).fill(401), ...Array(12).fill(429)]);
  });

  test("are recorded in the audit log without filling it", async () => {
    const events = await watchEvents(h.deps.database, org.id);
    const known = await signedIn();
    for (let i = 0; i < 12; i++) {
      h.clock.nowMs += 30_000;
      await signInAs(known, ada.email, `guess number ${i}`);
      await h.deps.background.waitUntilIdle();
    }
    const failures = (await events()).filter(({ event }) => event === "sign_in.failed");
    expect(
      failures.map(({ actor_type, after }) => [
        actor_type,
        (after as { attempts: number }).attempts,
      ]),
    ).toEqual([
      ["stranger", 1],
      ["stranger", 10],
    ]);
  });
});

test("deletes expired rows at sign-in", async () => {
  const db = h.deps.database;
  await signInAs(browse(), "unknown@example.com");
  const old = await signedIn();
  const startMs = h.clock.nowMs;
  await db
    .insertInto("auth_verification")
    .values({ id: "old", identifier: "old", value: "x", expires_at: new Date(startMs - 1) })
    .execute();
  try {
    h.clock.nowMs += SESSION_MS;
    await signedIn();
    await h.deps.background.waitUntilIdle();
    const sessions = await db.selectFrom("auth_session").select("started_at").execute();
    expect(sessions.every(({ started_at }) => started_at.getTime() > startMs)).toBe(true);
    expect(
      await db.selectFrom("auth_verification").select("id").where("id", "=", "old").execute(),
    ).toEqual([]);
    const attempts = await db.selectFrom("auth_attempt").select("full_at").execute();
    expect(attempts.every(({ full_at }) => full_at.getTime() >= h.clock.nowMs)).toBe(true);
    expect((await old.get(ME)).status).toBe(401);
  } finally {
    h.clock.nowMs = startMs;
  }
});

test("keeps passwords and tokens out of logs and responses", async () => {
  const secret = "a password that only this test knows";
  const browser = await signedIn();
  const token = browser.cookies.get("bursar_session")?.split(".")[0] ?? "";
  const answers = [
    await signInAs(browse(), ada.email, secret),
    await browser.post("/v1/admin/step_up", { password: secret }),
    await browser.post("/v1/admin/password", {
      current_password: secret,
      new_password: `${secret}!`,
    }),
    await browser.get("/v1/admin/sessions"),
    await browser.get(ME),
  ];
  await h.deps.background.waitUntilIdle();
  for (const text of [...answers.map((answer) => answer.text), ...h.logs]) {
    expect(text).not.toContain(secret);
    expect(text).not.toContain(token);
  }
});
