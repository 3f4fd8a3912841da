import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { FAILED_OVER } from "#src/audit/recorded-failover.sql.ts";
import { watchChanges } from "#src/db/change-watch.ts";
import { connectStorage } from "#src/db/storage.ts";
import { hashSecret } from "#src/domain/key-format.ts";
import { findApiKeysByHashes } from "#src/key-lookup/api-key-lookup.sql.ts";
import { authenticateLaptop } from "#src/key-lookup/authenticate-laptop.ts";
import { systemClock } from "#src/lib/clock.ts";
import { makeLogger } from "#src/lib/logger.ts";
import { startAdmin, type TestOrganization } from "#test/harness/admin.ts";
import { openTestAuditLog } from "#test/harness/audit-log.ts";
import { eventually } from "#test/harness/eventually.ts";
import { signInLaptop } from "#test/harness/laptops.ts";
import {
  type ReplicatedPostgres,
  startReplicatedPostgres,
} from "#test/harness/replicated-postgres.ts";
import { createId, newDirectory } from "#test/harness/route-samples/subjects.ts";
import { followFailovers, type SettledFailover } from "./follow-failovers.ts";
import { guardLookup } from "./guard-lookup.ts";
import { RecentChanges } from "./recent-changes.ts";

// Two nodes on a PostgreSQL with an asynchronous standby, which lacks the last changes after its promotion.

const BOUND_MS = 30_000;

let postgres: ReplicatedPostgres;

async function startCluster(isSynchronous = false): Promise<void> {
  postgres = await startReplicatedPostgres({ isSynchronous });
  onTestFinished(() => postgres.stop());
}

interface Node {
  nowMs: () => number;
  logs: string[];
  storage: ReturnType<typeof connectStorage>;
  audit: Awaited<ReturnType<typeof openTestAuditLog>>["audit"];
  recent: RecentChanges;
  failovers: ReturnType<typeof followFailovers>;
  settled: SettledFailover[];
}

/** Starts the parts of a node that follow failovers. */
async function startNode(): Promise<Node> {
  const folder = await mkdtemp(join(tmpdir(), "bursar-test-"));
  const logs: string[] = [];
  const logger = makeLogger("info", { write: (line) => logs.push(line) });
  const { connectionString } = postgres;
  const storage = connectStorage({ connectionString, folder, isEmbedded: false }, logger);
  const { database, incarnations } = storage;
  const recent = new RecentChanges({ database, clock: systemClock, logger });
  const shared = { database, clock: systemClock, logger };
  const onChange = () => void recent.read();
  const watch = watchChanges({ ...shared, incarnations, intervalMs: 50, onChange });
  await watch.ready;
  const nowMs = () => watch.databaseNowMs();
  const { audit, close } = await openTestAuditLog({ database, nowMs, logs, folder });
  const settled: SettledFailover[] = [];
  const onSettled = async (failover: SettledFailover) => void settled.push(failover);
  const failovers = followFailovers({ audit, incarnations, recent, onSettled, logger });
  await recent.read();
  await audit.chains.check();
  onTestFinished(async () => {
    await failovers.stop();
    await close();
    await watch.stop();
    await storage.close();
    await rm(folder, { recursive: true, force: true });
  });
  return { nowMs, logs, storage, audit, recent, failovers, settled };
}

async function startApi({ storage, audit, failovers }: Node) {
  const { database } = storage;
  const { connectionString } = postgres;
  const own = { database, connectionString, audit };
  const h = await startAdmin({ lostRestrictions: failovers }, own);
  onTestFinished(() => h.close());
  h.clock.nowMs = Math.floor(performance.timeOrigin + performance.now());
  return { h, org: await h.organization() };
}

const settledOn = (nodes: readonly Node[]) =>
  eventually(BOUND_MS, "all nodes have settled the failover", async () =>
    nodes.every(({ settled }) => settled.length > 0) ? true : null,
  );

const eventsAfter = async (seq: number) =>
  await postgres.sql<{
    event: string;
    subject_id: string;
    actor_id: string;
    after: Record<string, unknown>;
  }>(
    "SELECT event, subject_id, actor_id, after FROM audit_event WHERE seq > $1 ORDER BY organization_id, seq",
    [seq],
  );

async function expectSuccess(calling: Promise<{ status: number; text: string }>): Promise<void> {
  const { status, text } = await calling;
  expect([status, text]).toEqual([200, text]);
}

/** All nodes know each change so far, as they do some milliseconds after it. */
async function readAll(nodes: readonly Node[]): Promise<void> {
  for (const { recent, audit } of nodes) {
    await recent.read();
    await audit.chains.check();
  }
}

test("restrictions of the lost time are applied again, once for all nodes", {
  timeout: 180_000,
}, async () => {
  await startCluster();
  const nodes = [await startNode(), await startNode()] as const;
  const { h, org } = await startApi(nodes[0]);
  const { admin } = org;
  const workspace = await admin.createWorkspace({ name: "Kept" });
  const closed = await admin.createWorkspace({ name: "Closed" });
  const make = (fields: object = {}) => admin.createApiKey(workspace.id, fields);
  const [disabled, narrowed, rotated, revived, ofClosed] = [
    await make(),
    await make({ allowed_origins: ["https://a.example.com", "https://b.example.com"] }),
    await make(),
    await make(),
    await admin.createApiKey(closed.id),
  ];
  const adminKey = await admin.createAdminKey();
  const leaver = await org.member({ role: "developer" });
  const lowered = await org.member({ role: "admin" });
  const signedOut = await org.member({ role: "admin" });
  const forged = await make();
  const laptop = await signInLaptop(h.deps, {
    ...{ organizationId: org.id, workspaceId: workspace.id, memberId: signedOut.id },
  });
  const invites = await admin.post<{ results: { invite: { id: string } }[] }>("/v1/admin/invites", {
    emails: ["new@example.com"],
    role: "user",
  });
  const inviteId = invites.body.results[0]?.invite.id ?? invites.text;
  const groups = await makeGroups(org, workspace.id);
  const user_directory_id = await createId(org.operator, "/v1/admin/directories", newDirectory());
  await readAll(nodes);
  const [head] = await postgres.sql<{ seq: bigint }>(
    "SELECT seq FROM audit_head WHERE organization_id = $1",
    [org.id],
  );
  const kept = Number(head?.seq);
  await postgres.waitUntilReplicated();
  postgres.pauseReplication();

  const change = (key: { id: string }, fields: object) =>
    expectSuccess(admin.post(`/v1/admin/api_keys/${key.id}`, fields));
  await change(disabled, { status: "inactive" });
  await change(narrowed, {
    allowed_models: ["claude-haiku-4-5"],
    allowed_origins: ["https://a.example.com"],
    user_directory_id,
  });
  const renewed = await admin.post<{ key: string }>(`/v1/admin/api_keys/${rotated.id}/rotate`, {
    grace_period_seconds: 0,
  });
  await change(revived, { status: "inactive" });
  await change(revived, { status: "active" });
  await expectSuccess(admin.post(`/v1/admin/workspaces/${closed.id}/archive`));
  await expectSuccess(admin.post(`/v1/admin/admin_keys/${adminKey.id}/revoke`));
  await expectSuccess(admin.remove(`/v1/admin/members/${leaver.id}`));
  await expectSuccess(admin.post(`/v1/admin/members/${lowered.id}`, { role: "user" }));
  await expectSuccess(signedOut.client.post("/v1/admin/sign_out"));
  await expectSuccess(admin.remove(`/v1/admin/invites/${inviteId}`));
  await groups.restrict();
  await expectSuccess(admin.remove(`/v1/admin/laptops/${laptop.id}`));
  const secret = await forgeRotation(forged.id);
  await change(forged, { name: "Forged" });
  const created = await make({ name: "Lost" });
  await readAll(nodes);
  await postgres.failOver();
  await settledOn(nodes);

  const states = async (...keys: { id: string }[]) =>
    Promise.all(
      keys.map(
        async ({ id }) =>
          (await admin.get<{ status: string }>(`/v1/admin/api_keys/${id}`)).body.status,
      ),
    );
  expect(await states(disabled, revived, ofClosed)).toEqual(["inactive", "active", "archived"]);
  expect((await admin.get(`/v1/admin/api_keys/${narrowed.id}`)).body).toMatchObject({
    allowed_models: ["claude-haiku-4-5"],
    allowed_origins: ["https://a.example.com"],
    user_directory_id,
    requires_user: true,
    restrictions: [{ rank: "admin", allowed_models: ["claude-haiku-4-5"] }],
  });
  const [old, fresh] = await findApiKeysByHashes(nodes[0].storage.database, nodes[0].audit.rows, [
    hashSecret(rotated.key),
    hashSecret(renewed.body.key),
  ]);
  expect(old?.secretValidUntilMs).toBeLessThan(nodes[0].nowMs());
  expect(fresh).toMatchObject({ id: rotated.id, secretValidUntilMs: null, status: "active" });
  const hashes = [hashSecret(forged.key), hashSecret(secret)];
  const found = await findApiKeysByHashes(nodes[0].storage.database, nodes[0].audit.rows, hashes);
  expect(found).toMatchObject([{ id: forged.id, isUnsigned: false }, null]);
  expect((await h.as(adminKey.key).get("/v1/admin/workspaces")).error.details?.error_code).toBe(
    "api_key_revoked",
  );
  expect((await admin.get(`/v1/admin/members/${leaver.id}`)).body).toMatchObject({
    status: "removed",
  });
  expect((await admin.get(`/v1/admin/members/${lowered.id}`)).body).toMatchObject({ role: "user" });
  expect((await signedOut.client.get("/v1/admin/session")).status).toBe(401);
  await expect(authenticateLaptop(h.deps, laptop.accessToken, null)).rejects.toMatchObject({
    code: "laptop_ended",
  });
  expect((await admin.get(`/v1/admin/invites/${inviteId}`)).body).toMatchObject({
    status: "revoked",
  });
  expect((await admin.get(`/v1/admin/api_keys/${created.id}`)).status).toBe(404);
  await groups.expectRestricted(nodes[0]);

  const events = (await eventsAfter(kept)).filter(({ actor_id }) => actor_id === "failover");
  const restored = events.filter(({ event }) => event !== FAILED_OVER);
  expect(restored.map(({ event, subject_id }) => [event, subject_id]).sort()).toEqual(
    [
      ["api_key.updated", disabled.id],
      ["api_key.updated", narrowed.id],
      ["api_key.rotated", rotated.id],
      ["api_key.updated", laptop.apiKeyId],
      ["workspace.archived", closed.id],
      ["admin_key.revoked", adminKey.id],
      ["member.removed", leaver.id],
      ["member.updated", lowered.id],
      ["member.updated", signedOut.id],
      ["invite.revoked", inviteId],
      ["member.updated", groups.leaverId],
      ["group.updated", groups.id],
      ["group.updated", groups.narrowedId],
      ["group_member.added", groups.joinerId],
      ["workspace.updated", workspace.id],
    ].sort(),
  );
  for (const { after } of restored) expect(after).toMatchObject({ cause: "database_failover" });
  const [recorded] = events.filter(({ event }) => event === FAILED_OVER);
  const lost = recorded?.after["lost_changes"] as { event: string; subject_id: string }[];
  expect(lost.map(({ event }) => event)).toEqual([
    "api_key.updated",
    "api_key.updated",
    "api_key.rotated",
    "api_key.updated",
    "api_key.updated",
    "workspace.archived",
    "admin_key.revoked",
    "member.removed",
    "member.updated",
    "session.ended",
    "invite.revoked",
    "group_member.removed",
    "group_workspace.removed",
    "group.updated",
    "workspace.updated",
    "group_member.added",
    "laptop.ended",
    "api_key.updated",
    "api_key.created",
  ]);
  for (const { audit } of nodes) {
    await audit.chains.check();
    expect(audit.chains.getReport(org.id).firstBroken).toBeNull();
  }
});

/** Replaces the secret of a key without the server, as an owner of the database can. Returns the new one. */
async function forgeRotation(apiKeyId: string): Promise<string> {
  const secret = `sk-ant-api03-${apiKeyId}`;
  await postgres.sql("UPDATE api_key_secret SET valid_until = now() WHERE api_key_id = $1", [
    apiKeyId,
  ]);
  await postgres.sql(
    "INSERT INTO api_key_secret (api_key_id, hash, hint, created_at) VALUES ($1, $2, 'forged', now())",
    [apiKeyId, Buffer.from(hashSecret(secret))],
  );
  return secret;
}

/** Groups that give access, and a workspace with personal keys. `restrict` takes it away. */
async function makeGroups(org: TestOrganization, workspaceId: string) {
  const { admin } = org;
  const url = "/v1/admin/groups";
  const make = async (name: string, allowed_models: string[] | null = null) => {
    const { body } = await admin.post<{ id: string }>(url, { name, allowed_models });
    return body.id;
  };
  const join = (groupId: string, member_id: string) =>
    expectSuccess(admin.post(`${url}/${groupId}/members`, { member_id }));
  const giveRole = (groupId: string) =>
    expectSuccess(
      admin.post(`${url}/${groupId}/workspaces/${workspaceId}`, {
        workspace_role: "workspace_developer",
      }),
    );
  const models = ["claude-haiku-4-5", "claude-opus-5"];
  const [left, lowered, narrowed, joined] = [
    await make("Left"),
    await make("Lowered"),
    await make("Narrowed", models),
    await make("Joined", models),
  ];
  const [leaver, stripped] = [await org.member(), await org.member()];
  const workspaces = { [workspaceId]: "workspace_developer" } as const;
  const [limited, joiner] = [await org.member({ workspaces }), await org.member({ workspaces })];
  for (const groupId of [left, lowered]) await giveRole(groupId);
  await expectSuccess(
    admin.post("/v1/admin/spend_limits", {
      scope: { type: "group_member", group_id: left },
      period: "monthly",
      limit_usd: 900,
    }),
  );
  await join(left, leaver.id);
  await join(lowered, stripped.id);
  await join(narrowed, limited.id);
  await expectSuccess(
    admin.post(`/v1/admin/workspaces/${workspaceId}`, { personal_keys: "everyone" }),
  );
  const keys = await Promise.all(
    [leaver, stripped, limited, joiner].map(({ client }) => client.createApiKey(workspaceId)),
  );
  return {
    ...{ id: lowered, narrowedId: narrowed, leaverId: leaver.id, joinerId: joiner.id },
    restrict: async () => {
      await expectSuccess(admin.remove(`${url}/${left}/members/${leaver.id}`));
      await expectSuccess(admin.remove(`${url}/${lowered}/workspaces/${workspaceId}`));
      await expectSuccess(
        admin.post(`${url}/${narrowed}`, { allowed_models: ["claude-haiku-4-5"] }),
      );
      await expectSuccess(
        admin.post(`/v1/admin/workspaces/${workspaceId}`, { personal_keys: "off" }),
      );
      await join(joined, joiner.id);
    },
    expectRestricted: async ({ storage, audit }: Node) => {
      const hashes = keys.map(({ key }) => hashSecret(key));
      const found = await findApiKeysByHashes(storage.database, audit.rows, hashes);
      expect(found.map((key) => [key?.ownerState, key?.allowedModels, key?.isUnsigned])).toEqual([
        ["outside", null, false],
        ["outside", null, false],
        ["active", ["claude-haiku-4-5"], false],
        ["active", models, false],
      ]);
      const personal = { workspace_id: workspaceId, name: "Mine" };
      const { body } = await admin.get(`${url}/${narrowed}`);
      expect(body).toMatchObject({
        model_lists: [{ rank: "admin", allowed_models: ["claude-haiku-4-5"] }],
      });
      const ofLeaver = `/v1/admin/spend_limits?scope_type=member&member_id=${leaver.id}`;
      expect((await admin.get(ofLeaver)).body).toMatchObject({ data: [] });
      const refused = await stripped.client.post("/v1/admin/personal_keys", personal);
      expect(refused.status).toBe(404);
    },
  };
}

test("a person's change after the failover wins over a lost restriction", {
  timeout: 180_000,
}, async () => {
  await startCluster();
  const node = await startNode();
  const late = await startNode();
  const { org } = await startApi(node);
  const { id: workspaceId } = await org.admin.createWorkspace();
  const key = await org.admin.createApiKey(workspaceId);
  const disable = () => org.admin.post(`/v1/admin/api_keys/${key.id}`, { status: "inactive" });
  await readAll([node, late]);
  await postgres.waitUntilReplicated();
  postgres.pauseReplication();
  await expectSuccess(disable());
  await readAll([node, late]);
  await late.failovers.stop();
  await postgres.failOver();
  await settledOn([node]);
  await expectSuccess(org.admin.post(`/v1/admin/api_keys/${key.id}`, { status: "active" }));
  late.recent.pause();
  const [lost] = await late.recent.findLost();
  expect(lost?.changes.map(({ event }) => event)).toEqual(["api_key.updated"]);
  expect(lost?.states).toEqual([]);
});

test("a synchronous failover loses nothing, and is recorded", { timeout: 180_000 }, async () => {
  await startCluster(true);
  const nodes = [await startNode(), await startNode()] as const;
  const { org } = await startApi(nodes[0]);
  const key = await org.admin.createApiKey((await org.admin.createWorkspace()).id);
  await expectSuccess(org.admin.post(`/v1/admin/api_keys/${key.id}`, { status: "inactive" }));
  await readAll(nodes);
  await postgres.failOver();
  await settledOn(nodes);
  for (const { settled, audit } of nodes) {
    expect(settled[0]?.organizations).toContainEqual({
      organizationId: org.id,
      lostEvents: 0n,
      changes: [],
      restored: 0,
    });
    await audit.chains.check();
    expect(audit.chains.getReport(org.id).firstBroken).toBeNull();
  }
  const { body } = await org.admin.get("/v1/admin/audit_log/verification");
  expect(body).toMatchObject({ is_intact: true, failovers: [{ lost_events: 0 }] });
});

test("a lookup of a restricted key waits until the restriction is applied again", async () => {
  const pending = Promise.withResolvers<void>();
  const key = {
    id: "apikey_1",
    workspaceId: "wksp_1",
    ownerMemberId: null,
    groupIds: [],
    status: "active",
  };
  let isPending = true;
  let status = "active";
  const lookup = guardLookup(async () => [{ ...key, status }], {
    failovers: { isPending: () => isPending, settled: () => pending.promise },
    recent: { mayRestrict: ({ id }) => id === key.id },
  });
  const finding = lookup([Buffer.from("hash")]);
  await setImmediate();
  status = "inactive";
  isPending = false;
  pending.resolve();
  expect(await finding).toEqual([{ ...key, status: "inactive" }]);
});
