import type { playgroundSession } from "@bursar/contract/admin/playground.ts";
import { sql } from "kysely";
import { describe, expect } from "vitest";
import type { z } from "zod";
import { hashSecret } from "#src/domain/key-format.ts";
import { findApiKeyByHash } from "#src/key-lookup/api-key-lookup.sql.ts";
import { checkKeyActive } from "#src/key-lookup/refuse-key.ts";
import { inSignedTransaction } from "#src/signed-rows/signed-transaction.ts";
import type { Client, Listed, TestMember } from "#test/harness/admin.ts";
import { test as base } from "#test/harness/admin-test.ts";
import { auditEventsOf } from "#test/harness/audit-events.ts";
import { setWorkspaceRole } from "#test/harness/members.ts";
import { savePlaygroundKey } from "./playground.sql.ts";

const SESSIONS = "/v1/admin/playground/sessions";
const TEN_MINUTES_MS = 600_000;
type Session = z.output<typeof playgroundSession>;

const test = base
  .extend(
    "start",
    ({ workspaceId }) =>
      async (client: Client = developer.client): Promise<Session> => {
        const { status, body, text } = await client.post<Session>(SESSIONS, {
          workspace_id: workspaceId,
        });
        if (status !== 200) throw new Error(text);
        return body;
      },
  )
  /** Reason why the gateway refuses the secret now. Null: accepted. */
  .extend("refusalOf", ({ h }) => async (secret: string): Promise<string | null> => {
    const key = await findApiKeyByHash(h.deps.database, h.deps.rows, hashSecret(secret));
    if (key === null) return "unknown";
    try {
      checkKeyActive(key, h.clock.nowMs, () => null);
      return null;
    } catch (error) {
      return error instanceof Error ? error.message : "";
    }
  });

let developer: TestMember;
test.beforeEach(async ({ org, workspaceId }) => {
  developer = await org.member({
    name: "Grace Hopper",
    workspaces: { [workspaceId]: "workspace_developer" },
  });
});

test("starts on a server that plans statements without the values of their parameters", async ({
  h,
  org,
  workspaceId,
}) => {
  const key = {
    ...{ id: `apikey_${developer.id}`, organizationId: org.id, workspaceId, name: "Mine" },
    ...{ memberId: developer.id, allowedModels: null, allowedAddresses: null },
    ...{ createdAt: new Date(h.clock.nowMs), expiresAt: new Date(h.clock.nowMs + TEN_MINUTES_MS) },
  };
  const saved = await inSignedTransaction(h.deps, async (tx) => {
    await sql`SET LOCAL plan_cache_mode = force_generic_plan`.execute(tx);
    return savePlaygroundKey(tx, key);
  });
  expect(saved).toBe(key.id);
});

test("has the restrictions of higher ranks on the member's keys", async ({
  h,
  org,
  workspaceId,
  start,
}) => {
  const own = await developer.client.createApiKey(workspaceId);
  const url = `/v1/admin/api_keys/${own.id}`;
  await org.admin.post(url, { allowed_models: ["claude-haiku-*"] });
  const session = await start();
  const key = await findApiKeyByHash(h.deps.database, h.deps.rows, hashSecret(session.key));
  expect(key?.allowedModels).toEqual(["claude-haiku-*"]);
  await org.admin.post(url, { allowed_models: null, status: "inactive" });
  const refused = await developer.client.post(SESSIONS, { workspace_id: workspaceId });
  expect(refused.error.details?.error_code).toBe("restricted_by_higher_rank");
});

describe("a playground session", () => {
  test("has a key of the member with the write permission for ten minutes", async ({
    h,
    workspaceId,
    start,
    refusalOf,
  }) => {
    const session = await start();
    expect(session).toMatchObject({
      type: "playground_session",
      workspace_id: workspaceId,
      expires_at: new Date(h.clock.nowMs + TEN_MINUTES_MS).toISOString(),
    });
    const key = await findApiKeyByHash(h.deps.database, h.deps.rows, hashSecret(session.key));
    expect(key).toMatchObject({
      id: session.api_key_id,
      workspaceId,
      permission: "write",
      ownerMemberId: developer.id,
    });
    h.clock.nowMs += TEN_MINUTES_MS - 1;
    expect(await refusalOf(session.key)).toBeNull();
    h.clock.nowMs += 1;
    expect(await refusalOf(session.key)).toMatch(/^This session of the playground has ended/);
  });

  test("is refused immediately after its end, and both are audited without the secret", async ({
    h,
    workspaceId,
    start,
    refusalOf,
  }) => {
    const session = await start();
    expect((await developer.client.remove(`${SESSIONS}/${session.id}`)).status).toBe(200);
    expect(await refusalOf(session.key)).toMatch(/^This session of the playground has ended/);
    const events = await auditEventsOf(h.deps.database, session.api_key_id);
    expect(events).toMatchObject([
      {
        event: "playground.started",
        actor_id: developer.id,
        workspace_id: workspaceId,
        after: { session_id: session.id, name: "Playground of Grace Hopper", permission: "write" },
      },
      { event: "playground.ended", actor_id: developer.id, workspace_id: workspaceId },
    ]);
    expect(JSON.stringify(events)).not.toContain(session.key);
    // Ending it again changes nothing.
    expect((await developer.client.remove(`${SESSIONS}/${session.id}`)).status).toBe(200);
    expect(await auditEventsOf(h.deps.database, session.api_key_id)).toHaveLength(2);
  });

  test("cannot be ended by another member, even an owner", async ({ org, start, refusalOf }) => {
    const session = await start();
    const owner = await org.member({ role: "owner" });
    const answer = await owner.client.remove(`${SESSIONS}/${session.id}`);
    expect([answer.status, answer.error.message]).toEqual([404, "Playground session not found"]);
    expect(await refusalOf(session.key)).toBeNull();
  });

  test("stops when the member loses the workspace role or is deactivated", async ({
    h,
    org,
    workspaceId,
    start,
    refusalOf,
  }) => {
    const session = await start();
    await setWorkspaceRole(h.deps, { workspaceId, memberId: developer.id, role: null });
    expect(await refusalOf(session.key)).toMatch(/no access to its workspace/);
    const role = "workspace_developer";
    await setWorkspaceRole(h.deps, { workspaceId, memberId: developer.id, role });
    expect(await refusalOf(session.key)).toBeNull();
    await org.admin.post(`/v1/admin/members/${developer.id}/deactivate`);
    // Deactivation ends the member's sign-ins, and these end the playground sessions.
    expect(await refusalOf(session.key)).toBe("unknown");
  });

  test("ends with the sign-in that started it", async ({ start, refusalOf }) => {
    const session = await start();
    await developer.client.post("/v1/admin/sign_out");
    expect(await refusalOf(session.key)).toBe("unknown");
  });

  test("stops when its workspace is archived, and cannot start there", async ({
    org,
    workspaceId,
    start,
    refusalOf,
  }) => {
    const session = await start();
    await org.admin.post(`/v1/admin/workspaces/${workspaceId}/archive`);
    expect(await refusalOf(session.key)).toMatch(/workspace of this API key is archived/);
    const answer = await developer.client.post(SESSIONS, { workspace_id: workspaceId });
    expect([answer.status, answer.error.message]).toEqual([
      400,
      expect.stringMatching(/^Workspace is archived/),
    ]);
  });
});

test("refuses a session with 403 without permission to create messages, and with 404 in a hidden workspace", async ({
  h,
  org,
  workspaceId,
  start,
}) => {
  const workspaces = { [workspaceId]: "workspace_user" } as const;
  const onlooker = await org.member({ workspaces });
  const denied = await onlooker.client.post(SESSIONS, { workspace_id: workspaceId });
  expect([denied.status, denied.error.message]).toEqual([
    403,
    expect.stringContaining("you are Workspace User there"),
  ]);
  const stranger = await org.member();
  const hidden = await stranger.client.post(SESSIONS, { workspace_id: workspaceId });
  expect([hidden.status, hidden.error.message]).toEqual([
    404,
    `Workspace not found: ${workspaceId}`,
  ]);
  // A key is not a member, so its sessions cannot start others.
  const { key } = await start();
  expect((await h.as(key).post(SESSIONS, { workspace_id: workspaceId })).status).toBe(403);
});

test("sessions share one key, and a sixth session ends the oldest", async ({
  h,
  start,
  refusalOf,
}) => {
  const sessions: Session[] = [];
  for (let count = 0; count < 6; count += 1) sessions.push(await start());
  expect(new Set(sessions.map(({ api_key_id }) => api_key_id)).size).toBe(1);
  const refusals = await Promise.all(sessions.map(({ key }) => refusalOf(key)));
  expect(refusals.map((refusal) => refusal === null)).toEqual([
    false,
    true,
    true,
    true,
    true,
    true,
  ]);
  // The next session deletes those that ended more than an hour ago.
  h.clock.nowMs += 2 * 3_600_000;
  await start();
  expect(await refusalOf(sessions[0]?.key ?? "")).toBe("unknown");
  const [row] = await h.deps.database
    .selectFrom("api_key_secret")
    .select((eb) => eb.fn.countAll<bigint>().as("count"))
    .where("api_key_id", "=", sessions[0]?.api_key_id ?? "")
    .execute();
  expect(row?.count).toBe(1n);
});

test("key lists, key hygiene, security settings and access lists omit playground keys", async ({
  org,
  start,
}) => {
  const session = await start();
  const { admin } = org;
  const read = async <Body>(path: string) => (await admin.get<Body>(`/v1/admin/${path}`)).body;
  expect((await read<Listed<unknown>>("api_keys")).data).toEqual([]);
  expect((await admin.get(`/v1/admin/api_keys/${session.api_key_id}`)).status).toBe(404);
  expect(await read("key_hygiene")).toMatchObject({ keys: 0, keys_without_issue: 0 });
  expect(await read("security_settings")).toMatchObject({
    keys_beyond_max_lifetime: { api_keys: 0 },
  });
  const access = await read<Listed<{ path: string }>>("access");
  expect(access.data.map(({ path }) => path)).not.toContain("member_key");
  const removal = await read<{ api_keys: unknown[] }>(`members/${developer.id}/removal_preview`);
  expect(JSON.stringify(removal)).not.toContain(session.api_key_id);
  const rotated = await admin.post(`/v1/admin/api_keys/${session.api_key_id}/rotate`, {});
  expect(rotated.status).toBe(404);
});
