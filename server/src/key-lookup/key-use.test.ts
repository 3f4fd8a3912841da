import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { makeLogger } from "#src/lib/logger.ts";
import { createTestDatabase, type TestDatabase } from "#test/harness/database.ts";
import { saveAdminKeyUses, saveUses } from "./key-use.sql.ts";
import { type KeyUseOptions, makeKeyUse, type Use } from "./key-use.ts";

const NEVER_MS = 1_000_000;
const ORGANIZATION_ID = "6f1f7c0e-0d3c-4a51-9d3e-2a6f3a6f3a6f";
const NOON = Date.UTC(2026, 10, 20, 12);

const useOf = (secretId: number, atMs: number, model: string | null = null): Use => ({
  secretId,
  atMs,
  address: "203.0.113.9",
  model,
});

function makeNotes(options: Partial<KeyUseOptions> & Pick<KeyUseOptions, "save">) {
  return makeKeyUse({ intervalMs: NEVER_MS, logger: makeLogger("silent"), ...options });
}

describe("in memory", () => {
  test("merges many uses of a secret to one write of the newest", async () => {
    const saved: Use[][] = [];
    const notes = makeNotes({ save: async (uses) => void saved.push([...uses]) });
    for (let i = 0; i < 1_000; i++) notes.record(useOf(1 + (i % 2), NOON + i));
    notes.record(useOf(1, NOON)); // older, from a slower request
    await notes.flush();
    await notes.flush();
    expect(saved).toEqual([[useOf(1, NOON + 998), useOf(2, NOON + 999)]]);
    await notes.stop();
    expect(saved.length).toBe(1);
  });

  test("while the database is unavailable, uses wait up to a limit and newer ones replace older ones", async () => {
    let isAway = true;
    const saved: Use[][] = [];
    const notes = makeNotes({
      maxWaiting: 3,
      save: async (uses) => {
        if (isAway) throw new Error("connection refused");
        saved.push([...uses]);
      },
    });
    for (const id of [1, 2, 3, 4, 5]) notes.record(useOf(id, NOON));
    await notes.flush();
    notes.record(useOf(2, NOON + 1));
    notes.record(useOf(6, NOON + 1));
    await notes.flush();
    isAway = false;
    await notes.flush();
    const ids = saved.flat().sort((a, b) => a.secretId - b.secretId);
    expect(ids).toEqual([useOf(1, NOON), useOf(2, NOON + 1), useOf(3, NOON)]);
    await notes.stop();
  });

  test("stop writes uses added during a write", async () => {
    const first = Promise.withResolvers<void>();
    const saved: Use[][] = [];
    const notes = makeNotes({
      save: async (uses) => {
        saved.push([...uses]);
        await first.promise;
      },
    });
    notes.record(useOf(1, NOON));
    const running = notes.flush();
    notes.record(useOf(1, NOON + 5));
    const stopped = notes.stop();
    first.resolve();
    await Promise.all([running, stopped]);
    expect(saved).toEqual([[useOf(1, NOON)], [useOf(1, NOON + 5)]]);
  });
});

describe("on PostgreSQL", () => {
  let db: TestDatabase;
  const ids: number[] = [];

  beforeAll(async () => {
    db = await createTestDatabase();
    const { database } = db;
    const organization_id = ORGANIZATION_ID;
    await database.insertInto("organization").values({ id: organization_id, name: "T" }).execute();
    const workspace = { id: "wksp_1", organization_id, name: "One", description: null };
    await database
      .insertInto("workspace")
      .values({ ...workspace, display_color: "#000000", tags: "{}", archived_at: null })
      .execute();
    for (let i = 0; i < 50; i++) {
      const id = `apikey_${i}`;
      const made = { created_by_type: "local_operator", created_by_id: "0", expires_at: null };
      await database
        .insertInto("api_key")
        .values({
          id,
          organization_id,
          workspace_id: "wksp_1",
          name: id,
          permission: "write",
          ...made,
        })
        .execute();
      const row = await database
        .insertInto("api_key_secret")
        .values({ api_key_id: id, hash: randomBytes(32), hint: "h", created_at: new Date(NOON) })
        .returning("id")
        .executeTakeFirstOrThrow();
      ids.push(Number(row.id));
    }
  });
  afterAll(() => db.drop());
  beforeEach(async () => {
    const none = { last_used_at: null, last_used_address: null, last_used_model: null };
    await db.database.updateTable("api_key_secret").set(none).execute();
  });

  const read = () =>
    db.database
      .selectFrom("api_key_secret")
      .select(["id", "last_used_at", "last_used_address", "last_used_model"])
      .where("last_used_at", "is not", null)
      .orderBy("id")
      .execute();

  test("a last use only advances, whichever node writes last", async () => {
    const [id = 0] = ids;
    await saveUses(db.database, [useOf(id, NOON + 10, "newer"), useOf(987_654, NOON)]);
    await saveUses(db.database, [useOf(id, NOON + 5, "older")]);
    expect(await read()).toEqual([
      {
        id: BigInt(id),
        last_used_at: new Date(NOON + 10),
        last_used_address: "203.0.113.9",
        last_used_model: "newer",
      },
    ]);
  });

  test("a use from before the creation of a secret is of a lost one with its id, and changes nothing", async () => {
    const [id = 0] = ids;
    await saveUses(db.database, [useOf(id, NOON - 5_000, "lost")]);
    expect(await read()).toEqual([]);
    await saveUses(db.database, [useOf(id, NOON - 500, "clock difference")]);
    expect(await read()).toMatchObject([{ last_used_model: "clock difference" }]);
  });

  test("concurrent writes of the same secrets neither deadlock nor lose the newest use", async () => {
    const writes = Array.from({ length: 40 }, (_, node) => {
      const uses = ids.map((id) => useOf(id, NOON + node, `node ${node}`));
      return saveUses(db.database, node % 2 === 0 ? uses : uses.reverse());
    });
    await Promise.all(writes);
    const rows = await read();
    expect(rows.length).toBe(ids.length);
    expect(new Set(rows.map((row) => row.last_used_model))).toEqual(new Set(["node 39"]));
  });

  test("a last use of an admin key only advances", async () => {
    await db.database
      .insertInto("admin_key")
      .values({
        id: "adminkey_1",
        organization_id: ORGANIZATION_ID,
        name: "one",
        secret_hash: randomBytes(32),
        partial_key_hint: "h",
        created_by_type: "local_operator",
        created_by_id: "0",
        expires_at: null,
        revoked_at: null,
      })
      .execute();
    const at = (atMs: number, address: string | null) => ({
      adminKeyId: "adminkey_1",
      atMs,
      address,
    });
    await saveAdminKeyUses(db.database, [
      at(NOON + 10, "203.0.113.9"),
      { ...at(NOON, null), adminKeyId: "adminkey_unknown" },
    ]);
    await saveAdminKeyUses(db.database, [at(NOON + 5, null)]);
    const rows = await db.database
      .selectFrom("admin_key")
      .select(["last_used_at", "last_used_address"])
      .execute();
    expect(rows).toEqual([{ last_used_at: new Date(NOON + 10), last_used_address: "203.0.113.9" }]);
  });
});
