import { setImmediate } from "node:timers/promises";
import { expect } from "vitest";
import { findAuditHead } from "#src/audit/audit.sql.ts";
import { hashSecret } from "#src/domain/key-format.ts";
import { findApiKeysByHashes } from "#src/key-lookup/api-key-lookup.sql.ts";
import { systemClock } from "#src/lib/clock.ts";
import { makeLogger } from "#src/lib/logger.ts";
import { inSignedTransaction } from "#src/signed-rows/signed-transaction.ts";
import type { Listed } from "#test/harness/admin.ts";
import { test as base } from "#test/harness/admin-test.ts";
import { watchEvents } from "#test/harness/audit-events.ts";
import { cutAuditLog } from "#test/harness/audit-log.ts";
import { createId, newDirectory } from "#test/harness/route-samples/subjects.ts";
import { startScim } from "#test/harness/scim.ts";
import { guardLookup } from "./guard-lookup.ts";
import { RecentChanges } from "./recent-changes.ts";
import { restoreRestrictions } from "./restore-restrictions.ts";

// A promoted database that lacks changes of groups. A test makes the changes, and then takes them back with their events.

const GROUPS = "/v1/admin/groups";
const MODELS = ["claude-haiku-4-5"];

interface Lost {
  /** Changes that the promoted database lacks. */
  change: () => Promise<unknown>;
  /** Brings the database back to its state before the changes. */
  undo: () => Promise<unknown>;
}

const test = base
  .extend("company", async ({ org, workspaceId }) => {
    const { admin } = org;
    const ada = await org.member({ workspaces: { [workspaceId]: "workspace_developer" } });
    const { key } = await ada.client.createApiKey(workspaceId);
    const url = (groupId: string) => `${GROUPS}/${groupId}/members`;
    return {
      ada,
      key,
      makeGroup: async (name: string, allowed_models: readonly string[] | null = null) =>
        (await admin.post<{ id: string }>(GROUPS, { name, allowed_models })).body.id,
      join: async (groupId: string) => {
        expect((await admin.post(url(groupId), { member_id: ada.id })).status).toBe(200);
      },
      leave: async (groupId: string) => {
        expect((await admin.remove(`${url(groupId)}/${ada.id}`)).status).toBe(200);
      },
      /** Ids of Ada's groups. */
      groups: async () => {
        const { body } = await admin.get<Listed<{ id: string }>>(`${GROUPS}?member_id=${ada.id}`);
        return body.data.map(({ id }) => id);
      },
    };
  })
  /** State of Ada's key as a node finds it. */
  .extend("findKey", ({ h, company }) => async () => {
    const hashes = [hashSecret(company.key)];
    const [found] = await findApiKeysByHashes(h.deps.database, h.audit.rows, hashes);
    return { models: found?.allowedModels, isUnsigned: found?.isUnsigned };
  })
  /** Loses changes. `restore` applies restrictions again, and returns the events of that. */
  .extend("lose", ({ h, org }) => async ({ change, undo }: Lost) => {
    const { database } = h.deps;
    const logger = makeLogger("silent");
    const recent = new RecentChanges({ database, clock: systemClock, logger });
    await recent.read();
    const head = await findAuditHead(database, org.id);
    if (head === null) throw new Error("no head");
    await change();
    await recent.read();
    recent.pause();
    await undo();
    await cutAuditLog(database, org.id, head);
    const listEvents = await watchEvents(database, org.id);
    const restore = async () => {
      const all = await recent.findLost();
      const lost = all.find(({ organizationId }) => organizationId === org.id);
      if (lost === undefined) throw new Error("nothing was lost");
      for (let node = 1; node <= 2; node++) await restoreRestrictions({ ...h.audit, logger }, lost);
      return listEvents();
    };
    return { recent, restore };
  })
  .extend("failOver", ({ lose }) => async (lost: Lost) => {
    const { restore } = await lose(lost);
    return restore();
  });

test("a lost join to a group with a list of models is applied again, once for all nodes", async ({
  company,
  findKey,
  failOver,
}) => {
  const { ada, makeGroup, join, leave } = company;
  const group = await makeGroup("Listed", MODELS);
  const events = await failOver({ change: () => join(group), undo: () => leave(group) });
  expect(await findKey()).toEqual({ models: MODELS, isUnsigned: false });
  expect(events).toMatchObject([
    {
      event: "group_member.added",
      actor_id: "failover",
      after: { group_id: group, email: ada.email, source: "direct", cause: "database_failover" },
    },
  ]);
});

test("a lost move to another group leaves the list of the new one", async ({
  company,
  findKey,
  failOver,
}) => {
  const { makeGroup, join, leave, groups } = company;
  const [left, joined] = [
    await makeGroup("Left", ["claude-opus-5"]),
    await makeGroup("New", MODELS),
  ];
  await join(left);
  await failOver({
    change: async () => {
      await leave(left);
      await join(joined);
    },
    undo: async () => {
      await leave(joined);
      await join(left);
    },
  });
  expect(await findKey()).toEqual({ models: MODELS, isUnsigned: false });
  expect(await groups()).toEqual([joined]);
});

test("a list that a group got in the lost time applies to a person who joined then", async ({
  org,
  company,
  findKey,
  failOver,
}) => {
  const { makeGroup, join, leave } = company;
  const group = await makeGroup("Later");
  const setModels = (allowed_models: readonly string[] | null) =>
    org.admin.post(`${GROUPS}/${group}`, { allowed_models });
  await failOver({
    change: async () => {
      await join(group);
      await setModels(MODELS);
    },
    undo: async () => {
      await setModels(null);
      await leave(group);
    },
  });
  expect(await findKey()).toEqual({ models: MODELS, isUnsigned: false });
});

test("a group that was created in the lost time comes back with its list, without roles", async ({
  org,
  workspaceId,
  company,
  findKey,
  failOver,
}) => {
  const { makeGroup, join, leave } = company;
  let group = "";
  const events = await failOver({
    change: async () => {
      group = await makeGroup("Created", MODELS);
      const role = { workspace_role: "workspace_admin" };
      await org.admin.post(`${GROUPS}/${group}/workspaces/${workspaceId}`, role);
      await join(group);
    },
    undo: async () => {
      await leave(group);
      expect((await org.admin.remove(`${GROUPS}/${group}`)).status).toBe(200);
    },
  });
  expect(await findKey()).toEqual({ models: MODELS, isUnsigned: false });
  expect((await org.admin.get(`${GROUPS}/${group}`)).body).toMatchObject({
    name: "Created",
    workspaces: [],
    model_lists: [{ rank: "admin", allowed_models: MODELS }],
  });
  expect(events.map(({ event }) => event)).toEqual(["group.created", "group_member.added"]);
});

test("a lost join to a group with a default cap or a rate limits the person again", async ({
  org,
  company,
  failOver,
}) => {
  const { ada, makeGroup, join, leave, groups } = company;
  const [capped, rated] = [await makeGroup("Capped"), await makeGroup("Rated")];
  const limit = { scope: { type: "group_member", group_id: capped }, period: "monthly" };
  await org.admin.post("/v1/admin/spend_limits", { ...limit, limit_usd: 10 });
  await org.admin.post("/v1/admin/rate_limits", {
    scope: { type: "group_member", group_id: rated },
    model_group: "all",
    requests_per_minute: 5,
  });
  await failOver({
    change: async () => {
      await join(capped);
      await join(rated);
    },
    undo: async () => {
      await leave(capped);
      await leave(rated);
    },
  });
  expect(await groups()).toEqual(expect.arrayContaining([capped, rated]));
  const of = `scope_type=member&member_id=${ada.id}`;
  expect((await org.admin.get(`/v1/admin/spend_limits?${of}`)).body).toMatchObject({
    data: [{ limit_usd: 10, inherited_from: { group_id: capped } }],
  });
  expect((await org.admin.get("/v1/admin/rate_limits?scope_type=member")).body).toMatchObject({
    data: [{ scope: { member_id: ada.id }, requests_per_minute: 5 }],
  });
});

test("a lost join that restricts nothing stays lost", async ({
  org,
  workspaceId,
  company,
  failOver,
}) => {
  const { makeGroup, join, leave, groups } = company;
  const listed = await makeGroup("Listed", MODELS);
  await join(listed);
  const more = await makeGroup("More", ["claude-opus-5"]);
  const roles = await makeGroup("Roles");
  const role = { workspace_role: "workspace_admin" };
  await org.admin.post(`${GROUPS}/${roles}/workspaces/${workspaceId}`, role);
  const events = await failOver({
    change: async () => {
      await join(more);
      await join(roles);
    },
    undo: async () => {
      await leave(more);
      await leave(roles);
    },
  });
  expect(events).toEqual([]);
  expect(await groups()).toEqual([listed]);
});

test("a membership that the server did not write is not applied again", async ({
  h,
  org,
  company,
  failOver,
}) => {
  const { ada, makeGroup, groups } = company;
  const group = await makeGroup("Listed", MODELS);
  const events = await failOver({
    change: async () => {
      const row = { group_id: group, member_id: ada.id };
      await h.deps.database.insertInto("group_member").values(row).execute();
      await org.operator.post(`/v1/admin/members/${ada.id}`, { role: "developer" });
    },
    undo: async () => {
      await h.deps.database.deleteFrom("group_member").where("group_id", "=", group).execute();
      await org.operator.post(`/v1/admin/members/${ada.id}`, { role: "user" });
    },
  });
  expect(events).toEqual([]);
  expect(await groups()).toEqual([]);
});

test("a directory still ends a membership of its own that was applied again", async ({
  h,
  org,
  company,
  findKey,
  failOver,
}) => {
  const { ada, groups } = company;
  const scim = await startScim(h, org);
  await scim.send("POST", "/Users", { userName: ada.email, emails: [{ value: ada.email }] });
  const { id } = (await scim.send("POST", "/Groups", { displayName: "Provided" })).body;
  await org.admin.post(`${GROUPS}/${id}`, { allowed_models: MODELS });
  const setMembers = (members: object[]) =>
    scim.send("PUT", `/Groups/${id}`, { displayName: "Provided", members });
  await failOver({
    change: () => setMembers([{ value: ada.id }]),
    undo: () => setMembers([]),
  });
  expect(await findKey()).toEqual({ models: MODELS, isUnsigned: false });
  const { members } = (await scim.send("GET", `/Groups/${id}`)).body;
  expect(members).toMatchObject([{ value: ada.id }]);
  expect((await setMembers([])).status).toBe(200);
  expect(await groups()).toEqual([]);
});

test("a membership by claims comes back with the directory that states it", async ({
  h,
  org,
  company,
  failOver,
}) => {
  const { ada, makeGroup } = company;
  const group = await makeGroup("Claimed", MODELS);
  const directory_id = await createId(org.operator, "/v1/admin/directories", newDirectory());
  const place = { group_id: group, member_id: ada.id };
  await failOver({
    change: async () => {
      await inSignedTransaction(h.deps, async (tx) => {
        await tx
          .insertInto("group_member")
          .values({ ...place, source: "claims" })
          .execute();
        await tx
          .insertInto("claimed_membership")
          .values({ ...place, directory_id })
          .execute();
      });
      await org.operator.post(`/v1/admin/members/${ada.id}`, { role: "developer" });
    },
    undo: async () => {
      await h.deps.database.deleteFrom("group_member").where("group_id", "=", group).execute();
      await org.operator.post(`/v1/admin/members/${ada.id}`, { role: "user" });
    },
  });
  const claimed = h.deps.database.selectFrom("claimed_membership").selectAll();
  expect(await claimed.where("group_id", "=", group).execute()).toEqual([
    { ...place, directory_id },
  ]);
  const list = await org.admin.get(`${GROUPS}/${group}/members`);
  expect(list.body).toMatchObject({ data: [{ source: "claims" }] });
});

test("a look-up waits for a lost change of a group of the key's owner", async ({
  h,
  org,
  workspaceId,
  company,
  lose,
}) => {
  const { key, makeGroup, join } = company;
  const group = await makeGroup("Narrowed", [...MODELS, "claude-opus-5"]);
  await join(group);
  const other = await org.admin.createApiKey(workspaceId);
  const setModels = (allowed_models: readonly string[]) =>
    org.admin.post(`${GROUPS}/${group}`, { allowed_models });
  const { recent, restore } = await lose({
    change: () => setModels(MODELS),
    undo: () => setModels([...MODELS, "claude-opus-5"]),
  });
  const [settled, queried] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let isPending = true;
  const lookup = guardLookup(
    async (hashes) => {
      const found = await findApiKeysByHashes(h.deps.database, h.audit.rows, hashes);
      queried.resolve();
      return found;
    },
    { failovers: { isPending: () => isPending, settled: () => settled.promise }, recent },
  );
  let isFound = false;
  const finding = lookup([hashSecret(key)]).finally(() => {
    isFound = true;
  });
  await queried.promise;
  await setImmediate();
  expect(isFound).toBe(false);
  expect(await lookup([hashSecret(other.key)])).toMatchObject([{ id: other.id }]);
  await restore();
  isPending = false;
  settled.resolve();
  expect(await finding).toMatchObject([{ allowedModels: MODELS }]);
});
