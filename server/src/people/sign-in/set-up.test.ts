import { beforeEach, describe, expect, test } from "vitest";
import { type AdminHarness, PUBLIC_URL, startAdmin } from "#test/harness/admin.ts";
import { watchEvents } from "#test/harness/audit-events.ts";
import { totpCode } from "#test/harness/authenticator.ts";
import { type Browser, openBrowser } from "#test/harness/browser.ts";

const SET_UP = "/v1/admin/setup";
const LINK = `${SET_UP}/link`;
const ME = "/v1/admin/session";
const PASSWORD = "a long enough sentence";

let h: AdminHarness;
let lastAddress = 0;
/** Credentials of the first owner. */
let owner: { token: string; name: string; email: string; password: string };

// Set-up happens once, so each test has its own installation.
beforeEach(async () => {
  h = await startAdmin();
  owner = {
    token: await makeLink(),
    name: "Ada Lovelace",
    email: "ada@example.com",
    password: PASSWORD,
  };
  return () => h.close();
});

const browse = () => openBrowser(h.app, { remoteAddress: `198.51.100.${++lastAddress}` });

async function makeLink(): Promise<string> {
  const { body } = await h.operator.post<{ url: string; expires_at: string }>(LINK);
  expect(body.expires_at).toBe(new Date(h.clock.nowMs + 3_600_000).toISOString());
  expect(body.url.startsWith(`${PUBLIC_URL}/setup#token=`)).toBe(true);
  return body.url.split("#token=")[1] ?? "";
}

const isOpen = async () => (await browse().get<{ is_open: boolean }>(SET_UP)).body.is_open;
const countOwners = async () =>
  (await h.operator.get<{ data: object[] }>("/v1/admin/owners")).body.data.length;

describe("set-up", () => {
  test("creates the owner, names the organization and signs in", async () => {
    const events = await watchEvents(h.deps.database, h.firstOrganizationId);
    expect(await isOpen()).toBe(true);
    const browser = browse();
    const answer = await browser.post<{ member_id: string }>(SET_UP, {
      ...owner,
      email: " ADA@Example.com",
      organization_name: "Analytical Engines",
    });
    expect(answer.status).toBe(200);
    const me = await browser.get<Record<string, unknown>>(ME);
    expect(me.body).toMatchObject({
      organization: { id: h.firstOrganizationId, name: "Analytical Engines" },
      member: {
        id: answer.body.member_id,
        email: "ada@example.com",
        name: "Ada Lovelace",
        role: "owner",
      },
    });
    expect((await browser.get("/v1/admin/workspaces")).status).toBe(200);
    expect(await isOpen()).toBe(false);
    expect((await events()).map(({ event, actor_id, after }) => [event, actor_id, after])).toEqual([
      [
        "organization.set_up",
        answer.body.member_id,
        {
          name: "Analytical Engines",
          owner: { id: answer.body.member_id, email: "ada@example.com", name: "Ada Lovelace" },
        },
      ],
    ]);
    const again = browse();
    const signIn = { email: owner.email, password: PASSWORD };
    expect((await again.post("/v1/admin/sign_in", signIn)).status).toBe(200);
  });

  test("succeeds once for concurrent calls", async () => {
    const tokens = [owner.token, await makeLink(), await makeLink()];
    const answers = await Promise.all(
      tokens.flatMap((token, i) =>
        [0, 1].map((j) =>
          browse().post(SET_UP, { ...owner, token, email: `owner-${i}-${j}@example.com` }),
        ),
      ),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 400 || status === 409)).toHaveLength(5);
    expect(await countOwners()).toBe(1);
  });

  test("stays closed afterwards for used, unused and new links", async () => {
    const unused = await makeLink();
    expect((await browse().post(SET_UP, owner)).status).toBe(200);
    for (const token of [owner.token, unused]) {
      expect(
        (await browse().post(SET_UP, { ...owner, token, email: "b@example.com" })).status,
      ).toBe(400);
    }
    const link = await h.operator.post(LINK);
    expect([link.status, link.error.message]).toEqual([
      409,
      "The organization already has an owner. Sign in, or use `./bursar owners reset` to restore an owner's access.",
    ]);
    await h.deps.database.updateTable("member").set({ status: "removed" }).execute();
    expect(await isOpen()).toBe(false);
    expect((await h.operator.post(LINK)).status).toBe(409);
  });

  test("rejects a link after one hour", async () => {
    h.clock.nowMs += 3_600_000 - 1;
    const late = await makeLink();
    h.clock.nowMs += 1;
    const answer = await browse().post(SET_UP, owner);
    expect([answer.status, answer.error.message]).toEqual([
      400,
      "token: the link was already used or has expired. Run `./bursar setup-link` on the server's machine to create another one.",
    ]);
    expect((await browse().post(SET_UP, { ...owner, token: late })).status).toBe(200);
  });

  test("rejects a missing or altered token and a stored hash", async () => {
    const [row] = await h.deps.database.selectFrom("set_up_link").select("token_hash").execute();
    const hash = Buffer.from(row?.token_hash ?? "");
    const tokens = [
      "x",
      `${owner.token}x`,
      owner.token.toUpperCase(),
      hash.toString("base64url"),
      hash.toString("hex"),
    ];
    for (const token of tokens) {
      expect((await browse().post(SET_UP, { ...owner, token })).status).toBe(400);
    }
    expect(await countOwners()).toBe(0);
  });

  test("keeps the link valid after a refused password, and creates nothing", async () => {
    const answer = await browse().post(SET_UP, { ...owner, password: "too short" });
    expect([answer.status, answer.error.message]).toEqual([
      400,
      "password: expected at least 12 characters.",
    ]);
    const own = await browse().post(SET_UP, { ...owner, password: "ada.lovelace2026" });
    expect(own.error.message).toContain("easy to guess");
    expect(await countOwners()).toBe(0);
    expect((await browse().post(SET_UP, owner)).status).toBe(200);
  });

  test("rejects an address in use with a conflict, and creates nothing", async () => {
    const other = await h.organization("Elsewhere");
    await other.member({ email: "ada@example.com" });
    expect((await browse().post(SET_UP, owner)).status).toBe(409);
    expect(await countOwners()).toBe(0);
  });

  test("rejects requests from other origins", async () => {
    const foreign = await browse().post(SET_UP, owner, { origin: "https://evil.example" });
    expect(foreign.status).toBe(403);
    expect(await countOwners()).toBe(0);
  });

  test("creates links for the operator only, not for keys or members", async () => {
    const other = await h.organization();
    expect((await other.admin.post(LINK)).status).toBe(403);
    const person = await other.member({ role: "owner" });
    expect((await person.client.post(LINK)).status).toBe(403);
    expect((await browse().post(LINK)).status).toBe(401);
  });
});

describe("owner reset", () => {
  const RESET = "/v1/admin/owners/reset";
  let browser: Browser;
  beforeEach(async () => {
    browser = browse();
    await browser.post(SET_UP, owner);
  });

  const tokenOf = async (body: object): Promise<string> => {
    const answer = await h.operator.post<{ url: string }>(RESET, body);
    expect(answer.status).toBe(200);
    expect(answer.body.url.startsWith(`${PUBLIC_URL}/reset#token=`)).toBe(true);
    return answer.body.url.split("#token=")[1] ?? "";
  };
  const setPassword = (token: string, password: string) =>
    browse().post("/v1/admin/password_reset/confirm", { token, password });
  const signIn = (password: string) =>
    browse().post<{ type: string }>("/v1/admin/sign_in", { email: owner.email, password });

  test("lists owners", async () => {
    const { body } = await h.operator.get<{ data: object[] }>("/v1/admin/owners");
    expect(body.data).toMatchObject([
      { email: "ada@example.com", name: "Ada Lovelace", status: "active", has_two_factor: false },
    ]);
  });

  test("sets a new password once, and revokes earlier links", async () => {
    const events = await watchEvents(h.deps.database, h.firstOrganizationId);
    const early = await tokenOf({ email: owner.email });
    const token = await tokenOf({ email: "ADA@example.com" });
    expect((await setPassword(early, "a sentence too early")).status).toBe(400);
    expect((await setPassword(token, "another long sentence")).status).toBe(200);
    expect((await setPassword(token, "a third long sentence")).status).toBe(400);
    expect((await signIn("another long sentence")).body).toEqual({ type: "signed_in" });
    expect((await browser.get(ME)).status).toBe(401);
    const shown = (await events()).map(({ event, actor_type, after }) => [
      event,
      actor_type,
      after,
    ]);
    expect(shown[0]).toEqual([
      "owner.reset",
      "local_operator",
      { email: "ada@example.com", removed_two_factor: false, password_allowed_until: null },
    ]);
  });

  test("can remove the authenticator app, which ends all sessions at once", async () => {
    const totp = "/v1/admin/two_factor/totp";
    const { body } = await browser.post<{ secret: string }>(totp);
    await browser.post(`${totp}/confirm`, { code: totpCode(body.secret) });
    expect((await signIn(PASSWORD)).body.type).toBe("two_factor_required");
    await tokenOf({ email: owner.email });
    expect((await signIn(PASSWORD)).body.type).toBe("two_factor_required");
    await tokenOf({ email: owner.email, remove_two_factor: true });
    expect((await browser.get(ME)).status).toBe(401);
    expect((await signIn(PASSWORD)).body.type).toBe("signed_in");
  });

  test("is possible for active owners only, and for the operator only", async () => {
    const other = await h.organization();
    const admin = await other.member({ role: "admin", email: "admin@example.com" });
    expect((await admin.client.post(RESET, { email: owner.email })).status).toBe(403);
    expect((await browser.post(RESET, { email: owner.email })).status).toBe(403);
    for (const email of ["admin@example.com", "unknown@example.com"]) {
      expect((await h.operator.post(RESET, { email })).status).toBe(404);
    }
    await h.deps.database
      .updateTable("member")
      .set({ status: "deactivated" })
      .where("email", "=", owner.email)
      .execute();
    expect((await h.operator.post(RESET, { email: owner.email })).status).toBe(409);
  });
});
