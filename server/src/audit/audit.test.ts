import fc from "fast-check";
import { sql } from "kysely";
import { describe, expect } from "vitest";
import { test as base } from "#test/harness/admin-test.ts";
import { type AuditEntry, auditedTransaction } from "./audited-transaction.ts";
import { canonicalJson, type JsonValue } from "./canonical-json.ts";
import { verifyChain } from "./verify-chain.ts";

const test = base.extend("log", ({ h, org }) => {
  const verify = () => verifyChain(h.deps, org.id, h.audit.witness.findAnchor(org.id));

  const caller = () => ({ kind: "local_operator", id: "1000", organizationId: org.id }) as const;

  async function readCounter(): Promise<bigint> {
    const row = await h.deps.database
      .selectFrom("change_counter")
      .select("value")
      .executeTakeFirstOrThrow();
    return row.value;
  }

  async function countEvents(): Promise<number> {
    const rows = await h.deps.database
      .selectFrom("audit_event")
      .select("id")
      .where("organization_id", "=", org.id)
      .execute();
    return rows.length;
  }

  /** Makes one change with an event for each subject, and returns the scopes that nodes read afterwards. */
  async function listScopesOfChange(subjects: readonly AuditEntry["subject"][]) {
    const before = await readCounter();
    await auditedTransaction(h.deps, caller(), origin, () => {
      const audit = subjects.map((subject) => ({ ...entry, subject }));
      return Promise.resolve({ result: null, audit });
    });
    return h.deps.database
      .selectFrom("change_scope")
      .select(["kind", "id"])
      .where("value", ">", before)
      .orderBy("value")
      .execute();
  }

  return { verify, caller, readCounter, countEvents, listScopesOfChange };
});

const origin = { requestId: "req_test", ipAddress: "192.0.2.1", userAgent: "test" };

const entry: AuditEntry = {
  event: "thing.changed",
  subject: { type: "organization", id: "org_1" },
  workspaceId: null,
  before: null,
  after: { name: "x" },
};

describe("a change and its event commit together", () => {
  test("a commit stores both and raises the change counter", async ({ h, org, log }) => {
    const before = await log.readCounter();
    const result = await auditedTransaction(h.deps, log.caller(), origin, async (tx) => {
      await tx
        .updateTable("organization")
        .set({ name: "Renamed" })
        .where("id", "=", org.id)
        .execute();
      return { result: 7, audit: entry };
    });
    expect(result).toBe(7);
    expect(await log.readCounter()).toBe(before + 1n);
    expect((await org.admin.get<{ name: string }>("/v1/organizations/me")).body.name).toBe(
      "Renamed",
    );
    const events = await h.deps.database
      .selectFrom("audit_event")
      .selectAll()
      .where("organization_id", "=", org.id)
      .where("event", "=", "thing.changed")
      .execute();
    expect(events).toMatchObject([
      {
        actor_type: "local_operator",
        actor_id: "1000",
        subject_type: "organization",
        subject_id: "org_1",
        workspace_id: null,
        before: null,
        after: { name: "x" },
        request_id: "req_test",
        ip_address: "192.0.2.1",
        user_agent: "test",
      },
    ]);
  });

  test("nodes drop the keys of each subject, and no others for subjects without keys", async ({
    log,
  }) => {
    const member = { type: "member", id: "user_1" } as const;
    const group = { type: "group", id: "group_1" } as const;
    const limits = [1, 2].map((n) => ({ type: "spend_limit", id: `spl_${n}` }) as const);
    expect(await log.listScopesOfChange([group, ...limits, member, group])).toEqual([
      { kind: "group", id: "group_1" },
      { kind: "member", id: "user_1" },
    ]);
    expect(await log.listScopesOfChange(limits)).toEqual([{ kind: "no_key", id: "spl_1" }]);
    expect(await log.listScopesOfChange([group, { type: "session", id: "sess_1" }])).toEqual([]);
  });

  test("a failure stores neither", async ({ h, org, log }) => {
    const [before, events] = [await log.readCounter(), await log.countEvents()];
    const failed = auditedTransaction(h.deps, log.caller(), origin, async (tx) => {
      await tx.updateTable("organization").set({ name: "No" }).where("id", "=", org.id).execute();
      throw new Error("in the middle");
    });
    await expect(failed).rejects.toThrow("in the middle");
    expect(await log.readCounter()).toBe(before);
    expect(await log.countEvents()).toBe(events);
    const { body } = await org.admin.get<{ name: string }>("/v1/organizations/me");
    expect(body.name).toBe("Another Company");
  });

  test("an event that cannot be written rolls back the change", async ({ h, org, log }) => {
    const failed = auditedTransaction(h.deps, log.caller(), origin, async (tx) => {
      await tx.updateTable("organization").set({ name: "No" }).where("id", "=", org.id).execute();
      return { result: null, audit: { ...entry, before: { text: "NUL: \0" } } };
    });
    await expect(failed).rejects.toThrow();
    const { body } = await org.admin.get<{ name: string }>("/v1/organizations/me");
    expect(body.name).toBe("Another Company");
    expect((await log.verify()).kind).toBe("intact");
  });

  test("an unchanged state writes no event", async ({ h, log }) => {
    const [before, events] = [await log.readCounter(), await log.countEvents()];
    await auditedTransaction(h.deps, log.caller(), origin, async () => ({
      result: null,
      audit: "unchanged",
    }));
    expect([await log.readCounter(), await log.countEvents()]).toEqual([before, events]);
  });
});

test("two changes that deadlock both commit, each with one event", async ({ h, org, log }) => {
  const second = (await h.organization()).id;
  const places = [org.id, second];
  const bothHold = Promise.withResolvers<void>();
  let tries = 0;
  const change = (first: string, then: string) =>
    auditedTransaction(h.deps, log.caller(), origin, async (tx) => {
      const rename = (id: string) =>
        tx.updateTable("organization").set({ name: "Renamed" }).where("id", "=", id).execute();
      tries += 1;
      await rename(first);
      if (tries === 2) bothHold.resolve();
      await bothHold.promise;
      await rename(then);
      return { result: first, audit: entry };
    });
  const before = await log.countEvents();
  const changes = [change(org.id, second), change(second, org.id)];
  expect(await Promise.all(changes)).toEqual(places);
  // A deadlock aborts one of them, and on a busy machine it can occur again.
  expect(tries).toBeGreaterThanOrEqual(3);
  expect(await log.countEvents()).toBe(before + 2);
  expect((await log.verify()).kind).toBe("intact");
});

test("concurrent changes form one chain without a gap", async ({ org, log }) => {
  const before = await log.countEvents();
  await Promise.all(
    Array.from({ length: 20 }, (_, i) => org.admin.createWorkspace({ name: `Team ${i}` })),
  );
  expect(await log.verify()).toEqual({ kind: "intact", events: before + 20 });
});

test("a chain of more than one page verifies", async ({ h, log }) => {
  for (let i = 0; i < 510; i++) {
    await auditedTransaction(h.deps, log.caller(), origin, async () => ({
      result: null,
      audit: entry,
    }));
  }
  expect((await log.verify()).kind).toBe("intact");
});

test("a value has one canonical text for any key order, also after jsonb", async ({ h }) => {
  const value: fc.Arbitrary<JsonValue> = fc.letrec<{ any: JsonValue }>((tie) => ({
    any: fc.oneof(
      { maxDepth: 3 },
      fc.string({ unit: "grapheme" }).filter((text) => !text.includes("\0")),
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie("any"), { maxLength: 3 }),
      fc.dictionary(
        fc.string({ unit: "grapheme" }).filter((text) => !text.includes("\0")),
        tie("any"),
        { maxKeys: 4 },
      ),
    ),
  })).any;
  await fc.assert(
    fc.asyncProperty(value, async (made) => {
      const { rows } = await sql<{ value: JsonValue }>`
        SELECT ${JSON.stringify(made)}::jsonb AS value`.execute(h.deps.database);
      expect(canonicalJson(rows[0]?.value ?? null)).toBe(canonicalJson(made));
      expect(JSON.parse(canonicalJson(made))).toEqual(JSON.parse(JSON.stringify(made)));
    }),
    { numRuns: 200 },
  );
});
