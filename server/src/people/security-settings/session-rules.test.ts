import { describe, expect, test } from "vitest";
import { totpCode } from "#test/harness/authenticator.ts";
import { openBrowser } from "#test/harness/browser.ts";
import { h, ME, org, prepareSignIn, signInAs } from "#test/harness/sign-in.ts";

prepareSignIn();

const SETTINGS = "/v1/admin/security_settings";
const HOUR_MS = 3_600_000;
const OFFICE = "203.0.113.20";

async function signInFrom(remoteAddress: string, role: "owner" | "admin" | "developer" = "admin") {
  const { email } = await org.member({ role });
  const browser = openBrowser(h.app, { remoteAddress });
  expect((await signInAs(browser, email)).status).toBe(200);
  return browser;
}

const set = (rules: object) => org.admin.post(SETTINGS, rules);

describe("a required second factor", () => {
  test("limits members without one to setting one up, and lifts the limit then", async () => {
    const browser = await signInFrom(OFFICE);
    expect((await browser.get(SETTINGS)).status).toBe(200);
    expect((await set({ second_factor: "admins" })).status).toBe(200);
    const refused = await browser.get(SETTINGS);
    expect([refused.status, refused.error.details?.["error_code"]]).toEqual([
      403,
      "second_factor_required",
    ]);
    const me = await browser.get<{ permissions: string[] }>(ME);
    expect(me.body).toMatchObject({
      is_second_factor_required: true,
      permissions: ["self:read", "self:write"],
    });
    const totp = "/v1/admin/two_factor/totp";
    const { body } = await browser.post<{ secret: string }>(totp);
    expect((await browser.post(`${totp}/confirm`, { code: totpCode(body.secret) })).status).toBe(
      200,
    );
    expect((await browser.get(SETTINGS)).status).toBe(200);
  });

  test("gives members without one no secret of a key", async () => {
    const { id: workspace_id } = await org.admin.createWorkspace();
    const { id, email } = await org.member({
      workspaces: { [workspace_id]: "workspace_developer" },
    });
    const browser = openBrowser(h.app, { remoteAddress: OFFICE });
    await signInAs(browser, email);
    const made = await org.admin.createApiKey(workspace_id, { owner_member_id: id });
    await set({ second_factor: "all" });
    const calls: [string, object][] = [
      [`/v1/admin/waiting_secrets/${made.waiting_secret?.id}/reveal`, {}],
      ["/v1/admin/playground/sessions", { workspace_id }],
      ["/v1/admin/personal_keys", { workspace_id, name: "Mine" }],
    ];
    for (const [url, body] of calls) {
      const refused = await browser.post(url, body);
      expect([url, refused.error.details?.["error_code"]]).toEqual([url, "second_factor_required"]);
    }
  });

  test("of admins does not limit others, and of all does", async () => {
    const browser = await signInFrom(OFFICE, "developer");
    await set({ second_factor: "admins" });
    expect((await browser.get("/v1/admin/workspaces")).status).toBe(200);
    await set({ second_factor: "all" });
    expect((await browser.get("/v1/admin/workspaces")).status).toBe(403);
  });
});

describe("lengths of sessions", () => {
  test("end existing sessions by their age and by their idle time", async () => {
    const browser = await signInFrom(OFFICE);
    await set({ session_hours: 4, session_idle_hours: 1 });
    const me = await browser.get<{ expires_at: string }>(ME);
    expect(me.body.expires_at).toBe(new Date(h.clock.nowMs + HOUR_MS).toISOString());
    for (let i = 0; i < 5; i++) {
      h.clock.nowMs += HOUR_MS - 1;
      expect((await browser.get(ME)).status).toBe(i < 4 ? 200 : 401);
    }
    const idle = await signInFrom(OFFICE);
    h.clock.nowMs += HOUR_MS;
    expect((await idle.get(ME)).status).toBe(401);
  });
});

describe("console addresses", () => {
  test("refuse sessions from elsewhere, but no keys and no operator", async () => {
    const office = await signInFrom(OFFICE);
    const elsewhere = await signInFrom("198.51.100.7");
    expect((await set({ console_addresses: ["203.0.113.0/24"] })).status).toBe(200);
    expect((await office.get(ME)).status).toBe(200);
    const refused = await elsewhere.get(ME);
    expect([refused.status, refused.error.details?.["error_code"]]).toEqual([
      403,
      "address_not_allowed",
    ]);
    expect((await org.admin.get(SETTINGS)).status).toBe(200);
    expect((await set({ console_addresses: null })).status).toBe(200);
    expect((await elsewhere.get(ME)).status).toBe(200);
  });

  test("cannot exclude the member who sets them", async () => {
    const browser = await signInFrom(OFFICE);
    const refused = await browser.post(SETTINGS, { console_addresses: ["10.0.0.0/8"] });
    expect([refused.status, refused.error.message]).toEqual([
      400,
      expect.stringContaining("exclude your own address 203.0.113.20"),
    ]);
    expect((await browser.get(ME)).status).toBe(200);
    const invalid = await set({ console_addresses: ["203.0.113.0/24", "10.0.0.1/8"] });
    expect(invalid.error.details?.["fields"]).toMatchObject([{ path: "console_addresses.1" }]);
  });
});

describe("a preview", () => {
  const preview = async (client: Pick<typeof org.admin, "post">, rules: object) =>
    (await client.post<Record<string, unknown>>(`${SETTINGS}/preview`, rules)).body;
  const nothing = {
    type: "security_settings_preview",
    keys_beyond_max_lifetime: { api_keys: 0, admin_keys: 0 },
    ended_sessions: 0,
    ends_own_session: false,
    sessions_outside_addresses: 0,
    excludes_own_address: false,
    members_without_second_factor: 0,
    members_without_directory: 0,
    extended_sessions: 0,
    members_freed_from_second_factor: 0,
    members_with_other_sign_in: 0,
    members_freed_from_addresses: 0,
  };

  test("counts what the change then does, and changes nothing", async () => {
    const early = await signInFrom(OFFICE);
    h.clock.nowMs += 2 * HOUR_MS;
    const late = await signInFrom("198.51.100.7", "developer");
    expect(await preview(org.admin, { min_password_length: 20 })).toMatchObject(nothing);
    // Ada and each member of the harness have a session besides those of browsers.
    expect(await preview(early, { session_hours: 2 })).toMatchObject({
      ...nothing,
      open_sessions: 5,
      ended_sessions: 3,
      ends_own_session: true,
    });
    expect(await preview(early, { console_addresses: ["203.0.113.0/24"] })).toMatchObject({
      ...nothing,
      sessions_outside_addresses: 4,
    });
    expect(await preview(early, { console_addresses: ["198.51.100.0/24"] })).toMatchObject({
      sessions_outside_addresses: 4,
      excludes_own_address: true,
    });
    expect((await set({ session_hours: 2 })).status).toBe(200);
    expect([(await early.get(ME)).status, (await late.get(ME)).status]).toEqual([401, 200]);
    expect(await preview(org.admin, { session_hours: 1 })).toMatchObject(nothing);
  });

  test("counts members who lack a second factor or a directory, and keys beyond the lifetime", async () => {
    const admins = await preview(org.admin, { second_factor: "admins" });
    const all = await preview(org.admin, { second_factor: "all" });
    await org.member({ role: "developer" });
    await org.member({ role: "admin" });
    const count = (body: object, field: string) => Number(new Map(Object.entries(body)).get(field));
    const lacking = "members_without_second_factor";
    expect(await preview(org.admin, { second_factor: "admins" })).toMatchObject({
      [lacking]: count(admins, lacking) + 1,
    });
    expect(
      await preview(org.admin, { second_factor: "all", company_sign_in_only: true }),
    ).toMatchObject({
      [lacking]: count(all, lacking) + 2,
      members_without_directory: count(all, lacking) + 2,
    });
    // The test's own admin key never expires.
    expect(await preview(org.admin, { max_key_lifetime_days: 30 })).toMatchObject({
      keys_beyond_max_lifetime: { api_keys: 0, admin_keys: 1 },
    });
  });

  test("counts sessions and members for which a rule becomes wider", async () => {
    await signInFrom(OFFICE);
    const rules = {
      session_hours: 2,
      second_factor: "all",
      console_addresses: ["203.0.113.0/24"],
    };
    expect(await set(rules)).toMatchObject({ status: 200 });
    const { open_sessions: open } = await preview(org.admin, {});
    expect(await preview(org.admin, { session_hours: 3 })).toMatchObject({
      ...nothing,
      extended_sessions: open,
    });
    const admins = await preview(org.admin, { second_factor: "admins" });
    const off = await preview(org.admin, { second_factor: "off", console_addresses: null });
    const freed = "members_freed_from_second_factor";
    const members = Number(off[freed]);
    expect(members).toBeGreaterThan(Number(admins[freed]));
    expect(Number(admins[freed])).toBeGreaterThan(0);
    expect(off).toMatchObject({
      ...nothing,
      [freed]: members,
      members_freed_from_addresses: members,
    });
    expect(await preview(org.admin, { second_factor: "all", session_hours: 2 })).toMatchObject(
      nothing,
    );
    const { database } = h.deps;
    const write = (isOnly: boolean) =>
      database
        .updateTable("security_settings")
        .set({ company_sign_in_only: isOnly })
        .where("organization_id", "=", org.id)
        .execute();
    await write(true);
    expect(await preview(org.admin, { company_sign_in_only: false })).toMatchObject({
      ...nothing,
      members_with_other_sign_in: members,
    });
    await write(false);
  });

  test("is refused without the right to change the settings", async () => {
    const developer = await signInFrom(OFFICE, "developer");
    expect((await developer.post(`${SETTINGS}/preview`, { session_hours: 1 })).status).toBe(403);
  });
});
