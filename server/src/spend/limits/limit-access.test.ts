import type { WireScope } from "@bursar/contract/scope.ts";
import { describe, expect } from "vitest";
import { auditEventsOf } from "#test/harness/audit-events.ts";
import { LIMITS, test } from "#test/harness/spend-limits-test.ts";

// Callers and scopes of spend limits: permissions, missing and archived scopes, and concurrent changes.

/** Each kind of scope that every request has. */
let scopes: Record<"organization" | "workspace" | "api_key", WireScope>;
test.beforeEach(({ limits }) => {
  scopes = limits.scopes;
});

test("a limit of an unknown or foreign workspace or key is a 404", async ({ h, limits }) => {
  const other = await h.organization();
  const theirs = (await other.admin.createWorkspace()).id;
  const theirKey = (await other.admin.createApiKey(theirs)).id;
  for (const id of ["wksp_unknown", theirs]) {
    const answer = await limits.set({ type: "workspace", workspace_id: id });
    expect([answer.status, answer.error.message]).toEqual([404, `Workspace not found: ${id}`]);
  }
  for (const id of ["apikey_unknown", theirKey]) {
    const answer = await limits.set({ type: "api_key", api_key_id: id });
    expect([answer.status, answer.error.message]).toEqual([404, "API key not found"]);
  }
});

describe("limits of an archived scope can be read but not changed", () => {
  test("of a key", async ({ org, apiKeyId, limits }) => {
    const { id } = (await limits.set(scopes.api_key)).body;
    await org.admin.post(`/v1/admin/api_keys/${apiKeyId}`, { status: "archived" });
    for (const answer of [
      await limits.set(scopes.api_key, { limit_usd: 1 }),
      await limits.remove(id),
    ]) {
      expect([answer.status, answer.error.type]).toEqual([400, "invalid_request_error"]);
      expect(answer.error.message).toContain("This API key is archived");
    }
    expect((await limits.get(id)).body).toMatchObject({ limit_usd: 25 });
  });

  test("of a workspace and its keys", async ({ org, workspaceId, limits }) => {
    const ofWorkspace = (await limits.set(scopes.workspace)).body.id;
    const ofKey = (await limits.set(scopes.api_key)).body.id;
    await org.admin.post(`/v1/admin/workspaces/${workspaceId}/archive`);
    for (const answer of [
      await limits.set(scopes.workspace, { limit_usd: 1 }),
      await limits.set(scopes.api_key, { limit_usd: 1 }),
      await limits.remove(ofWorkspace),
      await limits.remove(ofKey),
    ]) {
      expect([answer.status, answer.error.type]).toEqual([400, "invalid_request_error"]);
      expect(answer.error.message).toContain(`Workspace is archived: ${workspaceId}`);
    }
    expect(await limits.idsOf(`?workspace_id=${workspaceId}`)).toEqual([ofKey, ofWorkspace]);
  });
});

describe("a workspace key with the admin permission", () => {
  test("reads and changes the limits of its workspace and of the keys in it", async ({
    limits,
  }) => {
    const own = await limits.workspaceAdmin();
    const ofWorkspace = (await limits.set(scopes.workspace, {}, own)).body;
    const ofKey = (await limits.set(scopes.api_key, {}, own)).body;
    expect(ofWorkspace).toMatchObject({ scope: scopes.workspace, limit_usd: 25 });
    expect((await limits.get(ofKey.id, own)).body).toEqual(ofKey);
    expect(await limits.idsOf("", own)).toEqual([ofKey.id, ofWorkspace.id]);
    expect((await limits.remove(ofKey.id, own)).status).toBe(200);
    expect(await limits.idsOf()).toEqual([ofWorkspace.id]);
  });

  test("gets a 404 for limits of the organization and of other workspaces", async ({
    org,
    workspaceId,
    apiKeyId,
    limits,
  }) => {
    const elsewhere = (await org.admin.createWorkspace()).id;
    const own = await limits.workspaceAdmin(elsewhere);
    const hidden = [
      (await limits.set(scopes.organization)).body.id,
      (await limits.set(scopes.workspace)).body.id,
      (await limits.set(scopes.api_key)).body.id,
    ];
    expect(await limits.idsOf("", own)).toEqual([]);
    expect(await limits.idsOf("?scope_type=organization", own)).toEqual([]);
    for (const id of hidden) {
      for (const answer of [await limits.get(id, own), await limits.remove(id, own)]) {
        expect([answer.status, answer.error.message]).toEqual([404, "Spend limit not found"]);
      }
    }
    const forWorkspace = await limits.set(scopes.workspace, {}, own);
    expect(forWorkspace.status).toBe(404);
    expect(forWorkspace.error.message).toBe(`Workspace not found: ${workspaceId}`);
    const forKey = await limits.set(scopes.api_key, {}, own);
    expect([forKey.status, forKey.error.message]).toEqual([404, "API key not found"]);
    expect((await own.get(`${LIMITS}?workspace_id=${workspaceId}`)).status).toBe(404);
    expect((await own.get(`${LIMITS}?api_key_id=${apiKeyId}`)).status).toBe(404);
    expect(await limits.idsOf()).toEqual(hidden.toReversed());
  });

  test("cannot limit the organization, with a 403 that names the permission", async ({
    limits,
  }) => {
    const answer = await limits.set(scopes.organization, {}, await limits.workspaceAdmin());
    expect([answer.status, answer.error.type]).toEqual([403, "permission_error"]);
    expect(answer.error.message).toContain("needs an admin key");
    expect(await limits.idsOf()).toEqual([]);
  });
});

test("the operator can limit the organization", async ({ h, limits }) => {
  const answer = await limits.set(scopes.organization, {}, h.operator);
  expect([answer.status, answer.body.scope]).toEqual([200, { type: "organization" }]);
});

describe("concurrent changes", () => {
  test.for(["organization", "workspace", "api_key"] as const)(
    "of one limit (%s) leave one limit and a complete audit history",
    async (type, { h, limits }) => {
      const amounts = [1, 2, 3, 4, 5, 6];
      const answers = await Promise.all(
        amounts.map((limit_usd) => limits.set(scopes[type], { limit_usd })),
      );
      const ids = new Set(answers.map(({ body }) => body.id));
      expect(answers.map(({ status }) => status)).toEqual(amounts.map(() => 200));
      expect([...ids]).toEqual(await limits.idsOf());
      const events = await auditEventsOf(h.deps.database, answers[0]?.body.id ?? "");
      expect(events.map(({ before }) => before)).toEqual([
        null,
        ...events.slice(0, -1).map(({ after }) => after),
      ]);
    },
  );

  test("with a deletion leave one complete audit history for each limit", async ({ h, limits }) => {
    const ids = new Set<string>();
    for (let round = 0; round < 10; round++) {
      const { id } = (await limits.set(scopes.organization, { limit_usd: 100 + round })).body;
      const [replaced, deleted] = await Promise.all([
        limits.set(scopes.organization, { limit_usd: 200 + round }),
        limits.remove(id),
      ]);
      expect([replaced.status, deleted.status]).toEqual([200, 200]);
      ids.add(id);
      ids.add(replaced.body.id);
    }
    const left = await limits.idsOf();
    for (const id of ids) {
      const states = await auditEventsOf(h.deps.database, id);
      for (const [index, { before }] of states.entries()) {
        expect(before).toEqual(index === 0 ? null : states[index - 1]?.after);
      }
      expect(states.at(-1)?.after === null).toBe(!left.includes(id));
    }
  });
});
