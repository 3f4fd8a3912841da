import { describe, expect } from "vitest";
import { listChain } from "#src/audit/audit.sql.ts";
import { verifyChain } from "#src/audit/verify-chain.ts";
import type { Answer, Client, Workspace } from "./harness/admin.ts";
import { test as base } from "./harness/admin-test.ts";
import { countDeadlocks } from "./harness/deadlocks.ts";

// Concurrent changes of one subject. Each call succeeds or is refused with a reason, no change is lost, and the audit
// log has the order. No transaction has a deadlock, which would run again after `deadlock_timeout`.

const ROUNDS = 12;

const test = base
  .extend("deadlocks", { auto: true }, async ({ h }, { onCleanup }) => {
    const before = await countDeadlocks(h.deps.database);
    onCleanup(async () => expect((await countDeadlocks(h.deps.database)) - before).toBe(0));
  })
  .extend("eventsOf", ({ h }) => async (organizationId: string) => {
    const events = await listChain(h.deps.database, { organizationId, afterSeq: 0n, limit: 1000 });
    expect(await verifyChain(h.deps, organizationId)).toEqual({
      kind: "intact",
      events: events.length,
    });
    return events;
  })
  /** Lists events after those of the organization and the test's key. */
  .extend("newEventsOf", ({ eventsOf }) => async (organizationId: string): Promise<string[]> => {
    const events = (await eventsOf(organizationId)).map(({ event }) => event);
    expect(events.slice(0, 2)).toEqual(["organization.created", "admin_key.created"]);
    return events.slice(2);
  })
  .extend("inRace", ({ org }) => async (call: (workspaceId: string) => Promise<Answer>) => {
    const { id } = await org.admin.createWorkspace();
    const [archived, ...answers] = await Promise.all([
      org.admin.post(`/v1/admin/workspaces/${id}/archive`),
      call(id),
      call(id),
    ]);
    expect(archived?.status).toBe(200);
    for (const { status, error } of answers) {
      expect([200, 400]).toContain(status);
      if (status === 400) expect(error.message).toContain(`Workspace is archived: ${id}`);
    }
    return id;
  });

const statusesOf = (answers: readonly Answer[]) => answers.map(({ status }) => status);

const together = <T>(count: number, call: (index: number) => Promise<T>) =>
  Promise.all(Array.from({ length: count }, (_, index) => call(index)));

test("concurrent updates of a workspace all count, and each event's before is the previous event's after", async ({
  org,
  eventsOf,
}) => {
  const workspace = await org.admin.createWorkspace();
  const url = `/v1/admin/workspaces/${workspace.id}`;
  const answers = await together(ROUNDS, (index) =>
    org.admin.post(url, { tags: { [`tag-${index}`]: "set" } }),
  );
  expect(new Set(statusesOf(answers))).toEqual(new Set([200]));
  const { body } = await org.admin.get<Workspace>(url);
  expect(Object.keys(body.tags)).toHaveLength(ROUNDS);
  const events = (await eventsOf(org.id)).filter(({ subjectId }) => subjectId === workspace.id);
  expect(events).toHaveLength(ROUNDS + 1);
  for (const [index, event] of events.slice(1).entries()) {
    expect(event.before).toEqual(events[index]?.after);
  }
});

describe("workspace names stay unique", () => {
  test("of concurrent workspaces with one name, one is created and the others get 409", async ({
    org,
    newEventsOf,
  }) => {
    const answers = await together(ROUNDS, () =>
      org.admin.post("/v1/admin/workspaces", { name: "The same" }),
    );
    expect(statusesOf(answers).sort()).toEqual([200, ...Array(ROUNDS - 1).fill(409)]);
    expect(await newEventsOf(org.id)).toEqual(["workspace.created"]);
  });

  test("two workspaces that swap names cause no server error", async ({ org }) => {
    for (let round = 0; round < ROUNDS; round++) {
      const [a, b] = await together(2, () => org.admin.createWorkspace());
      if (!a || !b) throw new Error("two workspaces were created");
      const answers = await Promise.all([
        org.admin.post(`/v1/admin/workspaces/${a.id}`, { name: b.name }),
        org.admin.post(`/v1/admin/workspaces/${b.id}`, { name: a.name }),
      ]);
      expect(statusesOf(answers)).toEqual([409, 409]);
    }
  });

  test("of two concurrent renames to one name, one succeeds", async ({ org }) => {
    for (let round = 0; round < ROUNDS; round++) {
      const made = await together(2, () => org.admin.createWorkspace());
      const answers = await Promise.all(
        made.map(({ id }) => org.admin.post(`/v1/admin/workspaces/${id}`, { name: `R ${round}` })),
      );
      expect(statusesOf(answers).sort()).toEqual([200, 409]);
    }
  });
});

describe("while a workspace is archived", () => {
  test("leaves no working key", async ({ org, eventsOf, inRace }) => {
    for (let round = 0; round < ROUNDS; round++) {
      const id = await inRace((workspace_id) =>
        org.admin.post("/v1/admin/api_keys", { name: "Late", workspace_id }),
      );
      const { body } = await org.admin.get<{ data: { status: string }[] }>(
        `/v1/admin/api_keys?workspace_id=${id}`,
      );
      expect(body.data.filter(({ status }) => status !== "archived")).toEqual([]);
    }
    await eventsOf(org.id);
  });

  test("sets a limit before, or refuses it after", async ({ org, eventsOf, inRace }) => {
    for (let round = 0; round < ROUNDS; round++) {
      await inRace((workspace_id) =>
        org.admin.post("/v1/admin/workspaces/limits", { workspace_id, monthly_limit_usd: 5 }),
      );
    }
    await eventsOf(org.id);
  });

  test("changes tags and limits of a key before, or refuses both after", async ({
    org,
    eventsOf,
  }) => {
    for (let round = 0; round < ROUNDS; round++) {
      const { id } = await org.admin.createWorkspace();
      const { id: api_key_id } = await org.admin.createApiKey(id);
      const answers = await Promise.all([
        org.admin.post(`/v1/admin/workspaces/${id}/archive`),
        org.admin.post(`/v1/admin/api_keys/${api_key_id}`, { tags: { team: "search" } }),
        org.admin.post("/v1/admin/spend_limits", {
          scope: { type: "api_key", api_key_id },
          period: "monthly",
          limit_usd: "5",
        }),
      ]);
      expect(answers[0]?.status).toBe(200);
      for (const { status, error } of answers.slice(1)) {
        expect([200, 400]).toContain(status);
        if (status === 400) expect(error.details?.error_code).toBe("resource_archived");
      }
    }
    await eventsOf(org.id);
  });

  test("archives a key that is being changed", async ({ h, org, eventsOf }) => {
    for (let round = 0; round < ROUNDS; round++) {
      const { id } = await org.admin.createWorkspace();
      const key = await org.admin.createApiKey(id, { permissions: ["admin"] });
      const url = `/v1/admin/api_keys/${key.id}`;
      const [archived, disabled, ownAct] = await Promise.all([
        org.admin.post(`/v1/admin/workspaces/${id}/archive`),
        org.admin.post(url, { status: "inactive" }),
        h.as(key.key).post("/v1/admin/api_keys", { name: "Of my own", workspace_id: id }),
      ]);
      expect(archived.status).toBe(200);
      expect([200, 400]).toContain(disabled.status);
      expect([200, 400, 401]).toContain(ownAct.status);
      expect((await org.admin.get<{ status: string }>(url)).body.status).toBe("archived");
      expect((await h.as(key.key).get("/v1/organizations/me")).status).toBe(401);
    }
    await eventsOf(org.id);
  });
});

test("of concurrent limits one remains, the last one in the log", async ({ org, eventsOf }) => {
  const { id } = await org.admin.createWorkspace();
  const set = (monthly_limit_usd: number | null) =>
    org.admin.post("/v1/admin/workspaces/limits", { workspace_id: id, monthly_limit_usd });
  const answers = await together(ROUNDS, (index) => set(index % 4 === 0 ? null : index));
  expect(new Set(statusesOf(answers))).toEqual(new Set([200]));
  const { body } = await org.admin.get<{ data: { monthly_limit_usd: number | null }[] }>(
    `/v1/admin/workspaces/limits?workspace_id=${id}`,
  );
  const events = (await eventsOf(org.id)).filter(({ event }) => event === "spend_limit.set");
  const last = events.at(-1)?.after as { limit_usd?: string } | null | undefined;
  const logged = last?.limit_usd === undefined ? null : Number(last.limit_usd);
  expect(body.data[0]?.monthly_limit_usd).toBe(logged);
});

test("a key revoked by concurrent calls is revoked once", async ({ org, eventsOf }) => {
  const key = await org.admin.createAdminKey();
  const revoke = (client: Client) => client.post(`/v1/admin/admin_keys/${key.id}/revoke`);
  const answers = await together(ROUNDS, () => revoke(org.admin));
  expect(new Set(statusesOf(answers))).toEqual(new Set([200]));
  const events = await eventsOf(org.id);
  expect(events.filter(({ event }) => event === "admin_key.revoked")).toHaveLength(1);
});

test("concurrent changes of two organizations keep two valid chains", async ({
  h,
  org,
  newEventsOf,
}) => {
  const other = await h.organization();
  await together(ROUNDS, (index) => (index % 2 ? org : other).admin.createWorkspace());
  for (const { id } of [org, other]) expect(await newEventsOf(id)).toHaveLength(ROUNDS / 2);
});
