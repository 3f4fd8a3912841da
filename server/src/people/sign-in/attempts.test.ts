import { describe, expect, test } from "vitest";
import type { Browser } from "#test/harness/browser.ts";
import { MEMBER_PASSWORD } from "#test/harness/members.ts";
import { ada, browse, h, org, prepareSignIn, signedIn, signInAs } from "#test/harness/sign-in.ts";

prepareSignIn();

const ADDRESS_ALLOWANCE = 100;
const INVITES = "/v1/admin/invites";
const RESET = "/v1/admin/password_reset";
const SET_UP = "/v1/admin/setup";
const NEW = "a new and long sentence";

let lastOffice = 0;
/** Opens browsers with one address, such as behind a proxy that is not trusted. */
function office(): () => Browser {
  const remoteAddress = `203.0.113.${++lastOffice}`;
  return () => browse({ remoteAddress });
}

async function failSignIns(open: () => Browser, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const { status } = await signInAs(open(), `stranger-${i}@example.com`);
    expect(status).toBe(401);
  }
}

/** Invites an address. Returns the token of the link. */
async function makeInvite(): Promise<string | undefined> {
  const fields = { emails: [`new-${++lastOffice}@example.com`], role: "user" };
  const { body } = await org.operator.post<{ results: { link: string }[] }>(INVITES, fields);
  return body.results[0]?.link.split("#token=")[1];
}

describe("failed sign-ins from one address", () => {
  test("refuse only sign-ins from unknown browsers there", async () => {
    const open = office();
    const known = open();
    expect((await signInAs(known, ada.email)).status).toBe(200);
    await failSignIns(open, ADDRESS_ALLOWANCE - 1);
    expect((await signInAs(open(), "last@example.com")).status).toBe(401);
    const refused = await signInAs(open(), ada.email);
    expect([refused.status, refused.headers["retry-after"]]).toEqual([429, "6"]);

    expect((await signInAs(known, ada.email)).status).toBe(200);
    expect((await known.post("/v1/admin/step_up", { password: MEMBER_PASSWORD })).status).toBe(200);
    expect((await open().post(`${INVITES}/lookup`, { token: "x".repeat(43) })).status).toBe(404);
    const setUp = { token: "x".repeat(43), name: "Eve", email: "eve@example.com", password: NEW };
    expect((await open().post(SET_UP, setUp)).status).toBe(400);
    const challenge = await open().post("/v1/admin/sign_in/passkey/options");
    expect(challenge.status).not.toBe(429);
    expect((await open().post(RESET, { email: ada.email })).status).toBe(200);
    expect((await open().post(`${INVITES}/lookup`, { token: await makeInvite() })).status).toBe(
      200,
    );
  });

  test("at one account leave attempts at it for other addresses, however long they last", async () => {
    const open = office();
    for (let minute = 0; minute < 20; minute++) {
      for (let i = 0; i < 8; i++) await signInAs(open(), ada.email, `guess number ${i}`);
      h.clock.nowMs += 60_000;
    }
    for (let i = 0; i < 8; i++) await signInAs(open(), ada.email, `guess number ${i}`);
    expect((await signInAs(open(), ada.email)).status).toBe(429);
    expect((await signInAs(browse(), ada.email)).status).toBe(200);
  });
});

describe("guesses of links from one address", () => {
  test("are limited for each kind of link, and never refuse a valid link", async () => {
    const open = office();
    const guess = (i: number) =>
      open().post(`${INVITES}/lookup`, { token: `guess-${i}-of-a-token`.padEnd(43, "0") });
    for (let i = 0; i < ADDRESS_ALLOWANCE; i++) expect((await guess(i)).status).toBe(404);
    expect((await guess(ADDRESS_ALLOWANCE)).status).toBe(429);
    const reset = { token: "x".repeat(24), password: NEW };
    expect((await open().post(`${RESET}/confirm`, reset)).status).toBe(400);
    expect((await open().post(`${INVITES}/lookup`, { token: await makeInvite() })).status).toBe(
      200,
    );
    expect((await signInAs(open(), ada.email)).status).toBe(200);
  });

  test("do not use up the allowance of a signed-in member's step-up", async () => {
    const browser = await signedIn();
    for (let i = 0; i < 8; i++) {
      await browser.post("/v1/admin/two_factor/totp/confirm", { code: "000000" });
    }
    expect((await browser.post("/v1/admin/step_up", { password: MEMBER_PASSWORD })).status).toBe(
      200,
    );
  });
});
