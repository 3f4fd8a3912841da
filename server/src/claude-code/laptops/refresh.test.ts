import { Kysely, PostgresDialect, sql } from "kysely";
import pg from "pg";
import { describe, expect } from "vitest";
import type { Database } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import { findApiKeysByHashes } from "#src/key-lookup/api-key-lookup.sql.ts";
import { authenticateLaptop } from "#src/key-lookup/authenticate-laptop.ts";
import { makeKeyCache } from "#src/key-lookup/key-cache.ts";
import { systemClock } from "#src/lib/clock.ts";
import { test as base } from "#test/harness/admin-test.ts";
import { auditEventsOf } from "#test/harness/audit-events.ts";
import { signInLaptop } from "#test/harness/laptops.ts";
import { setWorkspaceRole } from "#test/harness/members.ts";
import { postForm, refreshTokens } from "#test/harness/oauth.ts";
import { OauthError } from "./oauth-error.ts";
import { refreshTokens as refresh } from "./refresh-tokens.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const origin = { requestId: "req_test", ipAddress: null, userAgent: null };

const test = base
  .extend("member", ({ org, workspaceId }) =>
    org.member({ workspaces: { [workspaceId]: "workspace_user" } }),
  )
  .extend("laptop", ({ h, org, workspaceId, member }) =>
    signInLaptop(h.deps, { organizationId: org.id, workspaceId, memberId: member.id }),
  )
  /** Code of the refusal of an access token, or "accepted". */
  .extend("codeOf", ({ h }) => async (token: string): Promise<string> => {
    try {
      await authenticateLaptop(h.deps, token, null);
      return "accepted";
    } catch (error) {
      return error instanceof ApiError ? error.code : String(error);
    }
  });

/** Presents the first refresh token, which confirms it. */
async function confirmFirstToken(
  h: Parameters<typeof refreshTokens>[0],
  { refreshToken }: { refreshToken: string },
): Promise<void> {
  const { status, body } = await refreshTokens(h, refreshToken);
  expect([status, body.refresh_token]).toEqual([200, refreshToken]);
}

/** Versions of all rows that a refresh could write. */
async function readVersions(database: Database): Promise<unknown> {
  const tables = [
    "laptop",
    "api_key_secret",
    "api_key",
    "access_token_key",
    "auth_attempt",
    "audit_event",
    "change_counter",
  ];
  const versions = tables.map(
    (table) => sql`SELECT ${table} AS name, xmin::text, ctid::text FROM ${sql.table(table)}`,
  );
  const { rows } = await sql`${sql.join(versions, sql` UNION ALL `)} ORDER BY 1, 3`.execute(
    database,
  );
  return rows;
}

describe("a refresh", () => {
  test("gives an access token with the groups of now, and writes no row within a day", async ({
    h,
    org,
    member,
    laptop,
    codeOf,
  }) => {
    const { body: group } = await org.admin.post<{ id: string }>("/v1/admin/groups", {
      name: "Research",
    });
    await org.admin.post(`/v1/admin/groups/${group.id}/members`, { member_id: member.id });
    await confirmFirstToken(h, laptop);
    const before = await readVersions(h.deps.database);
    for (let hour = 1; hour < 24; hour++) {
      h.clock.nowMs += HOUR_MS;
      const answer = await refreshTokens(h, laptop.refreshToken);
      expect(answer).toMatchObject({
        status: 200,
        body: { token_type: "Bearer", expires_in: 3600, refresh_token: laptop.refreshToken },
      });
      const { claims } = await authenticateLaptop(h.deps, answer.body.access_token, null);
      expect(claims).toMatchObject({ groupIds: [group.id], groupNames: ["Research"] });
    }
    expect(await readVersions(h.deps.database)).toEqual(before);
    expect(await codeOf(laptop.accessToken)).toBe("access_token_expired");
  });

  test("replaces the refresh token after a day, and a replay of an older one ends the laptop", async ({
    h,
    laptop,
    codeOf,
  }) => {
    await confirmFirstToken(h, laptop);
    h.clock.nowMs += DAY_MS;
    const lost = await refreshTokens(h, laptop.refreshToken);
    expect(lost.body.refresh_token).not.toBe(laptop.refreshToken);
    // The response was lost.
    const repeated = await refreshTokens(h, laptop.refreshToken);
    expect(repeated.status).toBe(200);
    const next = await refreshTokens(h, repeated.body.refresh_token);
    expect([next.status, next.body.refresh_token]).toEqual([200, repeated.body.refresh_token]);
    expect(await codeOf(next.body.access_token)).toBe("accepted");
    // Another client of the laptop has the older token in its memory.
    h.clock.nowMs += HOUR_MS;
    const other = await refreshTokens(h, laptop.refreshToken);
    expect(other.status).toBe(200);
    expect(other.body.refresh_token).not.toBe(laptop.refreshToken);
    // The laptop slept, and the first client refreshes before the other one.
    h.clock.nowMs += DAY_MS;
    const third = await refreshTokens(h, next.body.refresh_token);
    const late = await refreshTokens(h, laptop.refreshToken);
    expect([late.status, late.body.refresh_token]).toEqual([200, third.body.refresh_token]);
    await refreshTokens(h, third.body.refresh_token);
    h.clock.nowMs += 2 * HOUR_MS;
    const newest = await refreshTokens(h, next.body.refresh_token);
    expect(await codeOf(newest.body.access_token)).toBe("accepted");

    const replayed = await refreshTokens(h, laptop.refreshToken);
    expect(replayed).toMatchObject({
      status: 401,
      body: { error: "invalid_grant" },
      headers: { "x-should-retry": "false" },
    });
    expect(await codeOf(newest.body.access_token)).toBe("laptop_ended");
    expect((await refreshTokens(h, newest.body.refresh_token)).status).toBe(401);
    const events = await auditEventsOf(h.deps.database, laptop.apiKeyId);
    expect(events).toMatchObject([
      { event: "laptop.ended", actor_type: "system", after: { end_reason: "replayed" } },
    ]);
  });

  test("loses no laptop when many processes of a client refresh at once", async ({
    h,
    laptop,
    codeOf,
  }) => {
    await confirmFirstToken(h, laptop);
    h.clock.nowMs += DAY_MS;
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => refreshTokens(h, laptop.refreshToken)),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array<number>(8).fill(200));
    const next = new Set(answers.map(({ body }) => body.refresh_token));
    expect(next.size).toBe(1);
    expect(next).not.toContain(laptop.refreshToken);
    expect(await codeOf(answers[7]?.body.access_token ?? "")).toBe("accepted");
  });

  test("is refused for good once the member or the laptop has no access", async ({
    h,
    org,
    workspaceId,
    member,
    laptop,
  }) => {
    const expectRefused = async () => {
      const answer = await refreshTokens(h, laptop.refreshToken);
      expect([answer.status, answer.body.error]).toEqual([401, "invalid_grant"]);
    };
    const role = { workspaceId, memberId: member.id };
    await setWorkspaceRole(h.deps, { ...role, role: null });
    await expectRefused();
    await setWorkspaceRole(h.deps, { ...role, role: "workspace_user" });
    expect((await refreshTokens(h, laptop.refreshToken)).status).toBe(200);
    // A disabled key can be enabled again, so the client keeps its tokens.
    const key = `/v1/admin/api_keys/${laptop.apiKeyId}`;
    await org.admin.post(key, { status: "inactive" });
    const disabled = await refreshTokens(h, laptop.refreshToken);
    expect([disabled.status, disabled.body.error]).toEqual([403, "access_denied"]);
    await org.admin.post(key, { status: "active" });
    const person = `/v1/admin/members/${member.id}`;
    await org.admin.post(`${person}/deactivate`);
    await expectRefused();
    // A reactivation returns keys, but no sign-in.
    expect((await org.admin.post(`${person}/reactivate`)).status).toBe(200);
    await setWorkspaceRole(h.deps, { ...role, role: "workspace_user" });
    await expectRefused();
    const laptops = await org.admin.get<{ data: object[] }>("/v1/admin/laptops?status=ended");
    expect(laptops.body.data).toMatchObject([{ member: { id: member.id }, status: "ended" }]);
    await org.admin.remove(person);
    await expectRefused();
  });

  test("is refused for any other text than a valid refresh token", async ({ h, laptop }) => {
    const { accessTokens } = h.deps;
    const nowMs = h.clock.nowMs;
    const texts = [
      laptop.accessToken,
      `${laptop.refreshToken}x`,
      "text",
      accessTokens.issueRefresh({ ...laptop.subject, laptopId: "laptop_other" }, 1, nowMs),
      accessTokens.issueRefresh({ ...laptop.subject, memberId: "user_other" }, 1, nowMs),
    ];
    for (const text of texts) {
      const answer = await refreshTokens(h, text);
      expect([answer.status, answer.body.error]).toEqual([401, "invalid_grant"]);
    }
    expect((await refreshTokens(h, laptop.refreshToken)).status).toBe(200);
    h.clock.nowMs += 90 * DAY_MS;
    expect((await refreshTokens(h, laptop.refreshToken)).status).toBe(401);
  });

  test("is answered from memory while PostgreSQL is away, and otherwise keeps the tokens", async ({
    h,
    laptop,
    codeOf,
  }) => {
    const pool = new pg.Pool({ host: "127.0.0.1", port: 1 });
    const away: Database = new Kysely({ dialect: new PostgresDialect({ pool }) });
    let database = h.deps.database;
    const keys = makeKeyCache({
      lookup: (hashes) => findApiKeysByHashes(database, h.deps.rows, hashes),
      msSinceContact: () => 0,
      leaseTtlMs: 120_000,
      clock: systemClock,
    });
    const { accessTokens } = h.deps;
    const deps = { ...h.audit, database, keys, accessTokens };
    await authenticateLaptop(deps, laptop.accessToken, null);
    database = away;
    h.clock.nowMs += DAY_MS;
    const answer = await refresh({ ...deps, database: away }, origin, laptop.refreshToken);
    expect(answer.refresh_token).toBe(laptop.refreshToken);
    expect(await codeOf(answer.access_token)).toBe("accepted");
    keys.forget("anything");
    const refused = refresh({ ...deps, database: away }, origin, laptop.refreshToken);
    await expect(refused).rejects.toThrow(OauthError);
    await expect(refused).rejects.toMatchObject({ code: "temporarily_unavailable", status: 503 });
    await away.destroy();
  });
});

describe("a sign-out", () => {
  test.for(["accessToken", "refreshToken"] as const)(
    "ends the laptop of the %s, and any other text changes nothing",
    async (kind, { h, member, laptop, codeOf }) => {
      const revoke = async (token: string) => (await postForm(h, "revoke", { token })).status;
      for (const text of ["text", `${laptop[kind]}x`]) expect(await revoke(text)).toBe(200);
      expect(await codeOf(laptop.accessToken)).toBe("accepted");
      const tokens = [laptop.accessToken, laptop.refreshToken];
      // The client sends both at once.
      expect(await Promise.all(tokens.map(revoke))).toEqual([200, 200]);
      expect(await codeOf(laptop.accessToken)).toBe("laptop_ended");
      const events = await auditEventsOf(h.deps.database, laptop.apiKeyId);
      expect(events).toMatchObject([
        { event: "laptop.ended", actor_id: member.id, after: { end_reason: "signed_out" } },
      ]);
    },
  );

  test("everywhere ends all laptops of the member, by the member and by an Admin", async ({
    h,
    org,
    workspaceId,
    member,
    laptop,
    codeOf,
  }) => {
    const of = { organizationId: org.id, workspaceId, memberId: member.id };
    const other = await org.member({ workspaces: { [workspaceId]: "workspace_user" } });
    const kept = await signInLaptop(h.deps, { ...of, memberId: other.id });
    await org.admin.post(`/v1/admin/members/${member.id}/sign_out`);
    const second = await signInLaptop(h.deps, of);
    expect([await codeOf(laptop.accessToken), await codeOf(second.accessToken)]).toEqual([
      "laptop_ended",
      "accepted",
    ]);
    const url = "/v1/admin/sessions/sign_out_everywhere";
    expect((await other.client.post(url, { keep_current: true })).status).toBe(200);
    expect(await codeOf(kept.accessToken)).toBe("laptop_ended");
    expect(await codeOf(second.accessToken)).toBe("accepted");
  });
});

test("a token of a laptop is no credential of the Admin API", async ({ h, laptop }) => {
  for (const token of [laptop.accessToken, laptop.refreshToken]) {
    const bearer = { authorization: `Bearer ${token}` };
    const url = "/v1/admin/workspaces";
    expect((await h.as(token).get(url)).status).toBe(401);
    expect((await h.as(null).send({ method: "GET", url, headers: bearer })).status).toBe(401);
    const scim = await h.app.inject({ method: "GET", url: "/scim/v2/Users", headers: bearer });
    expect(scim.statusCode).toBe(401);
  }
});
