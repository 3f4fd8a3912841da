import type { storedObject } from "@bursar/contract/admin/stored-objects.ts";
import { sql } from "kysely";
import { describe, expect } from "vitest";
import type { z } from "zod";
import { inTransaction } from "#src/db/transaction.ts";
import type { Listed, TestOrganization } from "#test/harness/admin.ts";
import { test as base } from "#test/harness/admin-test.ts";
import { eventually } from "#test/harness/eventually.ts";
import { type Owner, storeObject } from "#test/harness/stored-objects.ts";

const OBJECTS = "/v1/admin/stored_objects";
type StoredObject = z.output<typeof storedObject>;
type Stored = Parameters<typeof storeObject>[2];

const test = base
  .extend("standIn", ({ h }) => {
    h.upstream.reset();
    return h.upstream;
  })
  .extend("owner", async ({ org, workspaceId }): Promise<Omit<Owner, "atMs">> => {
    const { id } = await org.admin.createApiKey(workspaceId, { name: "Uploads" });
    return { organizationId: org.id, workspaceId, apiKeyId: id };
  })
  .extend("store", ({ h, owner }) => (object?: Stored, of: Partial<Owner> = {}) => {
    h.clock.nowMs += 1_000;
    return storeObject(h.deps.database, { ...owner, atMs: h.clock.nowMs, ...of }, object);
  })
  .extend(
    "list",
    ({ org }) =>
      (query = "") =>
        listObjects(org, query),
  );

async function listObjects({ admin }: TestOrganization, query: string): Promise<StoredObject[]> {
  return (await admin.get<Listed<StoredObject>>(`${OBJECTS}?${query}`)).body.data;
}

describe("list", () => {
  test("shows names and sizes of files and skills", async ({ h, owner, store, list }) => {
    await store({ kind: "container", description: null, expiresAt: new Date(h.clock.nowMs) });
    await store({ kind: "thread", description: null });
    await store({ kind: "skill", description: { display_name: "Invoices", latest_version: "3" } });
    const id = await store();
    const objects = await list();
    expect(objects.map(({ kind, name }) => [kind, name])).toEqual([
      ["file", "report.pdf"],
      ["skill", "Invoices"],
      ["thread", null],
    ]);
    expect(objects[0]).toEqual({
      id,
      type: "stored_object",
      kind: "file",
      workspace_id: owner.workspaceId,
      workspace_name: expect.any(String),
      api_key_id: owner.apiKeyId,
      api_key_name: "Uploads",
      upstream_id: null,
      failover: null,
      name: "report.pdf",
      media_type: "application/pdf",
      size_bytes: 2_048,
      created_at: expect.any(String),
      expires_at: null,
    });
  });

  test("filters by kind, workspace, key and time, and pages by a cursor", async ({
    h,
    org,
    store,
    list,
  }) => {
    const { id: otherWorkspace } = await org.admin.createWorkspace();
    const otherKey = await org.admin.createApiKey(otherWorkspace);
    const first = await store();
    const second = await store({ kind: "thread" });
    const time = new Date(h.clock.nowMs).toISOString();
    const third = await store({}, { workspaceId: otherWorkspace, apiKeyId: otherKey.id });
    const ids = async (query: string) => (await list(query)).map(({ id }) => id);
    expect(await ids("kind=file")).toEqual([third, first]);
    expect(await ids("kind=skill,thread")).toEqual([second]);
    expect(await ids(`workspace_id=${otherWorkspace}`)).toEqual([third]);
    expect(await ids(`api_key_id=${otherKey.id}`)).toEqual([third]);
    expect(await ids(`starting_at=${time}`)).toEqual([third, second]);
    expect(await ids(`ending_at=${time}`)).toEqual([first]);
    const { body } = await org.admin.get<Listed<StoredObject>>(`${OBJECTS}?limit=2`);
    expect(body.data.map(({ id }) => id)).toEqual([third, second]);
    expect(await ids(`limit=2&page=${body.next_page}`)).toEqual([first]);
  });

  test("shows nothing of another organization, and of other keys to their owner only", async ({
    h,
    standIn,
    org,
    workspaceId,
    store,
  }) => {
    const workspaces = { [workspaceId]: "workspace_user" } as const;
    const member = await org.member({ workspaces });
    const own = await org.admin.createApiKey(workspaceId, { owner_member_id: member.id });
    const foreign = await store();
    const id = await store({}, { apiKeyId: own.id });
    const listed = await member.client.get<Listed<StoredObject>>(OBJECTS);
    expect(listed.body.data.map((object) => object.id)).toEqual([id]);
    expect((await member.client.remove(`${OBJECTS}/${foreign}`)).status).toBe(403);
    const other = await h.organization();
    expect(await listObjects(other, "")).toEqual([]);
    expect((await other.admin.remove(`${OBJECTS}/${id}`)).status).toBe(404);
    expect(standIn.received).toEqual([]);
  });
});

describe("delete", () => {
  test.for([
    ["file", "/v1/files/"],
    ["skill", "/v1/skills/"],
  ] as const)(
    "removes a %s at its upstream and from the list",
    async ([kind, path], { standIn, org, store, list }) => {
      const id = await store({ kind });
      expect((await org.admin.remove(`${OBJECTS}/${id}`)).status).toBe(200);
      expect(standIn.received).toEqual([`DELETE ${path}${id}`]);
      expect(await list()).toEqual([]);
      const events = await org.admin.get<Listed<{ event: string; before: object }>>(
        "/v1/admin/audit_events?limit=1",
      );
      expect(events.body.data[0]).toMatchObject({
        event: "stored_object.deleted",
        before: { kind, upstream_id: "simulator" },
      });
      expect((await org.admin.remove(`${OBJECTS}/${id}`)).status).toBe(404);
    },
  );

  test("by two calls at once is audited once", async ({ h, standIn, org, store }) => {
    const id = await store();
    const removals = await inTransaction(h.deps.database, async (tx) => {
      await sql`SELECT FROM upstream_object WHERE id = ${id} FOR UPDATE`.execute(tx);
      const sent = [1, 2].map(() => org.admin.remove(`${OBJECTS}/${id}`));
      await eventually(10_000, "both calls are at the upstream", async () =>
        standIn.received.length === 2 ? true : null,
      );
      return sent;
    });
    for (const { status } of await Promise.all(removals)) expect(status).toBe(200);
    const events = await org.admin.get<Listed<{ event: string }>>("/v1/admin/audit_events?limit=5");
    const deletions = events.body.data.filter(({ event }) => event === "stored_object.deleted");
    expect(deletions).toHaveLength(1);
  });

  test("removes an object from the list that its upstream no longer has", async ({
    standIn,
    org,
    store,
    list,
  }) => {
    const id = await store();
    standIn.answer = () => ({ status: 404, body: {} });
    expect((await org.admin.remove(`${OBJECTS}/${id}`)).status).toBe(200);
    expect(await list()).toEqual([]);
  });

  test.for([
    ["refuses", { status: 403, body: { error: { message: "no" } } }, "upstream_refused"],
    [
      "is away",
      Object.assign(new Error("refused"), { code: "ECONNREFUSED" }),
      "upstream_unreachable",
    ],
  ] as const)(
    "keeps the object if its upstream %s",
    async ([, answer, code], { standIn, org, store, list }) => {
      const id = await store();
      standIn.answer = () => answer;
      const refused = await org.admin.remove(`${OBJECTS}/${id}`);
      expect(refused.status).toBe(502);
      expect(refused.error.details?.error_code).toBe(code);
      expect((await list()).map((object) => object.id)).toEqual([id]);
    },
  );

  test.for(["container", "thread"] as const)(
    "refuses a %s, which its upstream ends",
    async (kind, { standIn, org, store }) => {
      const id = await store({ kind });
      const refused = await org.admin.remove(`${OBJECTS}/${id}`);
      expect(refused.status).toBe(400);
      expect(standIn.received).toEqual([]);
    },
  );

  test("refuses an id that two upstreams have given", async ({ standIn, org, store }) => {
    await store({ id: "file_same", upstreamId: "simulator" });
    await store({ id: "file_same", upstreamId: "ups_other" });
    const refused = await org.admin.remove(`${OBJECTS}/file_same`);
    expect(refused.status).toBe(400);
    expect(standIn.received).toEqual([]);
  });
});
