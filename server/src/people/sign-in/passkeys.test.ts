import { describe, expect } from "vitest";
import type { Answer, TestMember } from "#test/harness/admin.ts";
import { test as base } from "#test/harness/admin-test.ts";
import { watchEvents } from "#test/harness/audit-events.ts";
import { type Authenticator, makeAuthenticator, totpCode } from "#test/harness/authenticator.ts";
import { type Browser, openBrowser } from "#test/harness/browser.ts";
import { CONSOLE_ORIGIN, MEMBER_PASSWORD } from "#test/harness/members.ts";

const PASSKEYS = "/v1/admin/passkeys";
const SIGN_IN = "/v1/admin/sign_in/passkey";
const STEP_UP = "/v1/admin/step_up";
const ME = "/v1/admin/session";

const test = base
  .extend("org", ({ h }) => h.organization("Acme"))
  .extend(
    "browse",
    ({ h }) =>
      () =>
        openBrowser(h.app, { remoteAddress: `198.51.100.${++lastAddress}` }),
  )
  .extend("signedIn", ({ browse }) => async (member: TestMember = ada): Promise<Browser> => {
    const browser = browse();
    const body = { email: member.email, password: MEMBER_PASSWORD };
    expect((await browser.post("/v1/admin/sign_in", body)).status).toBe(200);
    return browser;
  })
  /** Ada with one passkey. */
  .extend(
    "withPasskey",
    ({ signedIn }) =>
      async (): Promise<{
        browser: Browser;
        authenticator: Authenticator;
        id: string;
      }> => {
        const browser = await signedIn();
        const authenticator = makeAuthenticator();
        const { status, body } = await add(browser, authenticator);
        expect(status).toBe(200);
        return { browser, authenticator, id: body.id };
      },
  );

let ada: TestMember;
let lastAddress = 0;
test.beforeEach(async ({ org }) => {
  ada = await org.member({ role: "admin" });
});

type Creation = Parameters<Authenticator["create"]>[0];
type Request = Parameters<Authenticator["get"]>[0];

async function add(
  browser: Browser,
  authenticator: Authenticator,
  name = "My laptop",
): Promise<Answer<{ id: string; name: string }>> {
  const { body } = await browser.post<{ options: Creation }>(`${PASSKEYS}/options`);
  const passkey = authenticator.create(body.options, CONSOLE_ORIGIN);
  return browser.post(PASSKEYS, { name, passkey });
}

async function ask(browser: Browser): Promise<Request> {
  return (await browser.post<{ options: Request }>(`${SIGN_IN}/options`)).body.options;
}

async function signIn(browser: Browser, authenticator: Authenticator) {
  const passkey = authenticator.get(await ask(browser), CONSOLE_ORIGIN);
  return browser.post(SIGN_IN, { passkey });
}

describe("adding a passkey", () => {
  test("lists it and records an audit event", async ({ h, org, signedIn }) => {
    const browser = await signedIn();
    const events = await watchEvents(h.deps.database, org.id);
    const { body } = await add(browser, makeAuthenticator(), "Blue key");
    const shown = {
      id: body.id,
      type: "passkey",
      name: "Blue key",
      is_backed_up: false,
      last_used_at: null,
    };
    expect(body).toMatchObject(shown);
    const listed = await browser.get<{ data: object[] }>(PASSKEYS);
    expect(listed.body.data).toMatchObject([shown]);
    expect((await events()).map(({ event, after }) => [event, after])).toEqual([
      ["passkey.added", { name: "Blue key" }],
    ]);
  });

  test("requires and accepts only a device that verifies its user", async ({ signedIn }) => {
    const browser = await signedIn();
    const { body } = await browser.post<{ options: object }>(`${PASSKEYS}/options`);
    expect(body.options).toMatchObject({
      rp: { id: "localhost", name: "Bursar" },
      user: { name: ada.email, displayName: "Ada Lovelace" },
      attestation: "none",
      authenticatorSelection: { residentKey: "required", userVerification: "required" },
    });
    const authenticator = makeAuthenticator();
    authenticator.isUserVerified = false;
    expect((await add(browser, authenticator)).status).toBe(400);
    expect((await browser.get<{ data: object[] }>(PASSKEYS)).body.data).toEqual([]);
  });

  test("requires step-up", async ({ h, signedIn }) => {
    const browser = await signedIn();
    h.clock.nowMs += 600_001;
    const answer = await browser.post(`${PASSKEYS}/options`);
    expect([answer.status, answer.headers["bursar-step-up"]]).toEqual([403, "required"]);
  });

  test("accepts each challenge once, and only from the same browser", async ({ signedIn }) => {
    const browser = await signedIn();
    const authenticator = makeAuthenticator();
    const { body } = await browser.post<{ options: Creation }>(`${PASSKEYS}/options`);
    const passkey = authenticator.create(body.options, CONSOLE_ORIGIN);
    const other = await signedIn();
    expect((await other.post(PASSKEYS, { name: "x", passkey })).status).toBe(400);
    expect((await browser.post(PASSKEYS, { name: "x", passkey })).status).toBe(200);
    expect((await browser.post(PASSKEYS, { name: "x", passkey })).status).toBe(400);
  });

  test("rejects one for another site or with an altered challenge", async ({ signedIn }) => {
    const browser = await signedIn();
    const authenticator = makeAuthenticator();
    const options = async () =>
      (await browser.post<{ options: Creation }>(`${PASSKEYS}/options`)).body.options;
    const foreign = authenticator.create(await options(), "https://evil.example");
    expect((await browser.post(PASSKEYS, { name: "x", passkey: foreign })).status).toBe(400);
    const altered = { ...(await options()), challenge: "AAAA" };
    const passkey = authenticator.create(altered, CONSOLE_ORIGIN);
    expect((await browser.post(PASSKEYS, { name: "x", passkey })).status).toBe(400);
    const garbage = {
      id: "AAAA",
      rawId: "AAAA",
      type: "public-key",
      response: { clientDataJSON: "AAAA", attestationObject: "AAAA" },
    };
    await options();
    expect((await browser.post(PASSKEYS, { name: "x", passkey: garbage })).status).toBe(400);
  });

  test("is refused at a numeric address, with the name to use instead", async ({ h }) => {
    const origin = "http://127.0.0.1:8484";
    const browser = openBrowser(h.app, { origin, remoteAddress: "203.0.113.4" });
    await browser.post("/v1/admin/sign_in", { email: ada.email, password: MEMBER_PASSWORD });
    const answer = await browser.post(`${PASSKEYS}/options`);
    expect([answer.status, answer.error.message]).toEqual([
      400,
      "Passkeys require a host name, and 127.0.0.1 is an address. Open http://localhost:8484 instead.",
    ]);
  });
});

describe("signing in with a passkey", () => {
  test("starts a session without a password, and records the use", async ({
    h,
    org,
    browse,
    withPasskey,
  }) => {
    const { authenticator } = await withPasskey();
    const events = await watchEvents(h.deps.database, org.id);
    const browser = browse();
    const answer = await signIn(browser, authenticator);
    expect(answer.body).toEqual({ type: "signed_in" });
    expect((await browser.get<{ member: object }>(ME)).body.member).toMatchObject({ id: ada.id });
    const { data } = (await browser.get<{ data: { last_used_at: string }[] }>(PASSKEYS)).body;
    expect(data[0]?.last_used_at).toBe(new Date(h.clock.nowMs).toISOString());
    expect((await events()).map(({ event, after }) => [event, after])).toEqual([
      ["session.started", { method: "passkey", device: "Firefox on Linux" }],
    ]);
  });

  test("names no member in its challenge and requires a verified user", async ({ browse }) => {
    const options = await ask(browse());
    expect(options).toMatchObject({ rpId: "localhost", userVerification: "required" });
    expect(options).not.toHaveProperty("allowCredentials");
  });

  test("is both factors, so it rejects a device that has not verified its user", async ({
    browse,
    withPasskey,
  }) => {
    const { authenticator } = await withPasskey();
    authenticator.isUserVerified = false;
    const browser = browse();
    const answer = await signIn(browser, authenticator);
    expect([answer.status, answer.error.message]).toEqual([
      401,
      "This passkey is unknown. Use another one or your password.",
    ]);
    expect((await browser.get(ME)).status).toBe(401);
  });

  test("accepts each response once", async ({ browse, withPasskey }) => {
    const { authenticator } = await withPasskey();
    const browser = browse();
    const passkey = authenticator.get(await ask(browser), CONSOLE_ORIGIN);
    expect((await browser.post(SIGN_IN, { passkey })).status).toBe(200);
    expect((await browser.post(SIGN_IN, { passkey })).status).toBe(401);
    const thief = browse();
    await ask(thief);
    expect((await thief.post(SIGN_IN, { passkey })).status).toBe(401);
  });

  test("rejects a signature for another site, an unknown passkey and a copied one", async ({
    browse,
    withPasskey,
  }) => {
    const { authenticator } = await withPasskey();
    const browser = browse();
    const foreign = authenticator.get(await ask(browser), "https://evil.example");
    expect((await browser.post(SIGN_IN, { passkey: foreign })).status).toBe(401);
    expect((await signIn(browse(), makeAuthenticator())).status).toBe(401);
    expect((await signIn(browse(), authenticator)).status).toBe(200);
    authenticator.counter = 1; // like the counter of a copy
    expect((await signIn(browse(), authenticator)).status).toBe(401);
  });

  test("is refused after deactivation and after removal of the passkey", async ({
    h,
    browse,
    withPasskey,
  }) => {
    const { authenticator, browser, id } = await withPasskey();
    const setStatus = (status: "active" | "deactivated") =>
      h.deps.database.updateTable("member").set({ status }).where("id", "=", ada.id).execute();
    await setStatus("deactivated");
    expect((await signIn(browse(), authenticator)).status).toBe(403);
    await setStatus("active");
    expect((await browser.remove(`${PASSKEYS}/${id}`)).body).toEqual({
      id,
      type: "passkey_deleted",
    });
    expect((await signIn(browse(), authenticator)).status).toBe(401);
  });

  test("requires no authenticator app", async ({ browse, withPasskey }) => {
    const { authenticator, browser } = await withPasskey();
    const totp = "/v1/admin/two_factor/totp";
    const { body } = await browser.post<{ secret: string }>(totp);
    await browser.post(`${totp}/confirm`, { code: totpCode(body.secret) });
    expect((await signIn(browse(), authenticator)).body).toEqual({ type: "signed_in" });
  });
});

describe("step-up with a passkey", () => {
  async function prove(browser: Browser, authenticator: Authenticator) {
    const { body } = await browser.post<{ options: Request }>(`${STEP_UP}/passkey/options`);
    const passkey = authenticator.get(body.options, CONSOLE_ORIGIN);
    return browser.post(STEP_UP, { passkey });
  }

  test("lasts ten minutes under a new cookie, without a longer session", async ({
    h,
    browse,
    withPasskey,
  }) => {
    const { authenticator, browser } = await withPasskey();
    const begun = h.clock.nowMs;
    const old = browser.cookies.get("bursar_session") ?? "";
    h.clock.nowMs += 600_001;
    const answer = await prove(browser, authenticator);
    expect(answer.body).toMatchObject({ type: "stepped_up" });
    expect(browser.cookies.get("bursar_session")).not.toBe(old);
    expect((await browser.post(`${PASSKEYS}/options`)).status).toBe(200);
    const thief = browse();
    thief.cookies.set("bursar_session", old);
    expect((await thief.get(ME)).status).toBe(401);
    const { data } = (
      await browser.get<{ data: { is_current: boolean; started_at: string }[] }>(
        "/v1/admin/sessions",
      )
    ).body;
    const current = data.find(({ is_current }) => is_current);
    expect(current?.started_at).toBe(new Date(begun).toISOString());
  });

  test("of another member is refused, and starts no session of that member", async ({
    h,
    org,
    signedIn,
    withPasskey,
  }) => {
    const { authenticator } = await withPasskey();
    const mallory = await org.member({ role: "user" });
    const browser = await signedIn(mallory);
    h.clock.nowMs += 600_001;
    // The options name the allowed passkeys, but a program can ignore them.
    expect((await prove(browser, authenticator)).status).toBe(401);
    expect((await browser.get<{ member: object }>(ME)).body.member).toMatchObject({
      id: mallory.id,
    });
    expect((await browser.post(`${PASSKEYS}/options`)).status).toBe(403);
  });
});

describe("own passkeys", () => {
  test("can be renamed, and a repeated rename writes nothing", async ({ h, org, withPasskey }) => {
    const { browser, id } = await withPasskey();
    const events = await watchEvents(h.deps.database, org.id);
    for (let i = 0; i < 2; i++) {
      const answer = await browser.post<{ name: string }>(`${PASSKEYS}/${id}`, { name: "Desk" });
      expect(answer.body.name).toBe("Desk");
    }
    expect((await events()).map(({ event, before, after }) => [event, before, after])).toEqual([
      ["passkey.renamed", { name: "My laptop" }, { name: "Desk" }],
    ]);
  });

  test("do not include passkeys of other members", async ({ org, withPasskey }) => {
    const { id } = await withPasskey();
    const grace = await org.member({ role: "owner" });
    for (const answer of [
      await grace.client.post(`${PASSKEYS}/${id}`, { name: "Mine" }),
      await grace.client.remove(`${PASSKEYS}/${id}`),
    ]) {
      expect([answer.status, answer.error.message]).toEqual([404, "Passkey not found"]);
    }
  });
});
