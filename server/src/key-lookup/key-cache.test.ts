import { randomBytes } from "node:crypto";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { makeSecret } from "#src/domain/key-format.ts";
import { makeRowSigner } from "#src/signed-rows/row-signer.ts";
import { createTestDatabase, type TestDatabase } from "#test/harness/database.ts";
import { type FoundKey, findApiKeysByHashes } from "./api-key-lookup.sql.ts";
import { makeKeyCache } from "./key-cache.ts";

const key: FoundKey = {
  id: "apikey_1",
  organizationId: "6f1f7c0e-0d3c-4a51-9d3e-2a6f3a6f3a6f",
  workspaceId: "wksp_1",
  permission: "write",
  status: "active",
  purpose: "calls",
  expiresAtMs: null,
  isHeld: false,
  isUnsigned: false,
  isWorkspaceArchived: false,
  secretId: 1,
  secretValidUntilMs: null,
  ownerMemberId: null,
  ownerState: null,
  groupIds: [],
  tagIds: [],
  groupTags: null,
  seesOwnUsageOnly: false,
  allowedModels: null,
  allowedAddresses: null,
  userDirectoryId: null,
  requiresUser: false,
  allowedOrigins: null,
};

/** Look-ups that a test resolves. One result applies to every requested hash. */
function makeBench() {
  const lookups: PromiseWithResolvers<FoundKey | null>[] = [];
  const asked: number[] = [];
  const bench = { nowMs: 0, silenceMs: 0 };
  const cache = makeKeyCache({
    lookup: async (hashes) => {
      const lookup = Promise.withResolvers<FoundKey | null>();
      lookups.push(lookup);
      asked.push(hashes.length);
      const found = await lookup.promise;
      return hashes.map(() => found);
    },
    msSinceContact: () => bench.silenceMs,
    leaseTtlMs: 120_000,
    clock: { nowMs: () => bench.nowMs, monotonicMs: () => bench.nowMs },
  });
  return Object.assign(bench, { cache, lookups, asked });
}

const newSecret = () => makeSecret("api", randomBytes).secret;
const secretA = newSecret();

async function answer(bench: ReturnType<typeof makeBench>, index: number, found: FoundKey | null) {
  bench.lookups[index]?.resolve(found);
  await bench.lookups[index]?.promise;
}

describe("in memory", () => {
  test("returns a known key without another look-up until a change arrives", async () => {
    const bench = makeBench();
    expect(bench.cache.findCached(secretA)).toBe(undefined);
    const first = bench.cache.find(secretA);
    await answer(bench, 0, key);
    expect(await first).toEqual(key);
    expect(bench.cache.findCached(secretA)).toEqual(key);
    expect(await bench.cache.find(secretA)).toEqual(key);
    expect(bench.lookups.length).toBe(1);

    bench.cache.forget("anything");
    expect(bench.cache.findCached(secretA)).toBe(undefined);
  });

  test("a change drops its keys and no others", async () => {
    const bench = makeBench();
    const keys: FoundKey[] = [
      key,
      { ...key, id: "apikey_2", workspaceId: "wksp_2" },
      { ...key, id: "apikey_3", ownerMemberId: "user_3", ownerState: "active" },
      { ...key, id: "apikey_4", workspaceId: "wksp_4" },
    ];
    const secrets = keys.map(newSecret);
    const unknown = newSecret();
    const ask = async (secret: string, found: FoundKey | null) => {
      const asked = bench.cache.find(secret);
      await answer(bench, bench.lookups.length - 1, found);
      await asked;
    };
    for (const [index, each] of keys.entries()) await ask(secrets[index] ?? "", each);
    await ask(unknown, null);
    const known = () => secrets.map((secret) => bench.cache.findCached(secret)?.id ?? null);

    bench.cache.forget([{ kind: "no_key", id: "spl_1" }]);
    expect(known()).toEqual(["apikey_1", "apikey_2", "apikey_3", "apikey_4"]);
    bench.cache.forget([{ kind: "api_key", id: "apikey_1" }]);
    expect(known()).toEqual([null, "apikey_2", "apikey_3", "apikey_4"]);
    bench.cache.forget([
      { kind: "workspace", id: "wksp_2" },
      { kind: "member", id: "user_3" },
    ]);
    expect(known()).toEqual([null, null, null, "apikey_4"]);
    expect(bench.cache.findCached(unknown)).toBe(null);
    bench.cache.forget("anything");
    expect(known()).toEqual([null, null, null, null]);
    expect(bench.cache.findCached(unknown)).toBe(undefined);
  });

  test("a changed key that was in use is looked up at once, so that its next request needs no database", async () => {
    const bench = makeBench();
    const asked = bench.cache.find(secretA);
    await answer(bench, 0, key);
    await asked;
    bench.cache.forget([{ kind: "api_key", id: key.id }]);
    expect(bench.lookups.length).toBe(2);
    await answer(bench, 1, { ...key, status: "inactive" });
    await vi.waitFor(() => expect(bench.cache.findCached(secretA)?.status).toBe("inactive"));
  });

  test("a change of a group drops the keys of its members only", async () => {
    const bench = makeBench();
    const finds = [bench.cache.find(secretA), bench.cache.find(newSecret())];
    await answer(bench, 0, { ...key, groupIds: ["group_1", "group_2"] });
    await answer(bench, 1, { ...key, id: "apikey_2", groupIds: ["group_1"] });
    await Promise.all(finds);
    bench.cache.forget([{ kind: "group", id: "group_3" }]);
    expect(bench.lookups.length).toBe(2);
    bench.cache.forget([{ kind: "group", id: "group_2" }]);
    expect(bench.cache.findCached(secretA)).toBe(undefined);
    expect(bench.lookups.length).toBe(3);
  });

  test("a look-up of a changed key that fails leaves the key unknown", async () => {
    const bench = makeBench();
    const asked = bench.cache.find(secretA);
    await answer(bench, 0, key);
    await asked;
    bench.cache.forget("anything");
    bench.lookups[1]?.reject(new Error("no connection"));
    await expect(bench.cache.find(secretA)).rejects.toThrow("cannot be checked");
    expect(bench.cache.findCached(secretA)).toBe(undefined);
  });

  test("does not cache a row that was read during a change of keys", async () => {
    const bench = makeBench();
    const asked = bench.cache.find(secretA);
    bench.cache.forget([{ kind: "api_key", id: "apikey_9" }]);
    await answer(bench, 0, key);
    expect(await asked).toEqual(key);
    expect(bench.cache.findCached(secretA)).toBe(undefined);
  });

  test("many requests with one unknown secret cause one look-up, whose result is cached for 3 s", async () => {
    const bench = makeBench();
    const all = Promise.all(Array.from({ length: 50 }, () => bench.cache.find(secretA)));
    expect(bench.lookups.length).toBe(1);
    await answer(bench, 0, null);
    expect(new Set(await all)).toEqual(new Set([null]));
    bench.nowMs = 2_999;
    expect(bench.cache.findCached(secretA)).toBe(null);
    bench.nowMs = 3_000;
    expect(bench.cache.findCached(secretA)).toBe(undefined);
  });

  test("does not cache a row that was read during a change", async () => {
    const bench = makeBench();
    const before = bench.cache.find(secretA);
    bench.cache.forget("anything");
    const after = bench.cache.find(secretA);
    expect(bench.lookups.length).toBe(2);
    await answer(bench, 0, key);
    expect(await before).toEqual(key);
    expect(bench.cache.findCached(secretA)).toBe(undefined);
    await answer(bench, 1, { ...key, status: "inactive" });
    expect((await after)?.status).toBe("inactive");
    expect(bench.cache.findCached(secretA)?.status).toBe("inactive");
  });

  test("does not use a cached key without contact for longer than the TTL", async () => {
    const bench = makeBench();
    const first = bench.cache.find(secretA);
    await answer(bench, 0, key);
    await first;
    bench.silenceMs = 120_000;
    expect(bench.cache.findCached(secretA)).toEqual(key);
    bench.silenceMs = 120_001;
    expect(bench.cache.findCached(secretA)).toBe(undefined);
    const again = bench.cache.find(secretA);
    bench.lookups[1]?.reject(new Error("connection refused"));
    await expect(again).rejects.toMatchObject({ code: "database_unavailable" });
  });

  test("runs at most 4 look-ups, batches 4,096 waiting ones, and refuses one more at once", async () => {
    const bench = makeBench();
    const find = (client: number) => bench.cache.find(newSecret(), `client ${client}`);
    const finds = Array.from({ length: 4 + 4_096 }, (_, client) => find(client));
    expect(bench.asked).toEqual([1, 1, 1, 1]);
    await expect(find(5_000)).rejects.toMatchObject({
      code: "database_unavailable",
    });
    for (let i = 0; i < 4 + 4_096 / 256; i++) {
      await expect.poll(() => bench.lookups.length, { interval: 1 }).toBeGreaterThan(i);
      bench.lookups[i]?.resolve(i === 9 ? key : null);
    }
    const found = await Promise.all(finds);
    expect(bench.asked).toEqual([1, 1, 1, 1, ...Array(16).fill(256)]);
    expect(found.filter((each) => each !== null).length).toBe(256);
  });

  test("a failed look-up refuses waiting ones and caches nothing", async () => {
    const bench = makeBench();
    const finds = Array.from({ length: 6 }, () => bench.cache.find(newSecret()));
    const results = Promise.allSettled(finds);
    bench.lookups[0]?.reject(new Error("connection refused"));
    await expect(finds[5]).rejects.toMatchObject({ code: "database_unavailable" });
    for (const lookup of bench.lookups.slice(1)) lookup.resolve(null);
    expect((await results).map((result) => result.status)).toEqual([
      "rejected",
      "fulfilled",
      "fulfilled",
      "fulfilled",
      "rejected",
      "rejected",
    ]);
    const again = bench.cache.find(secretA);
    await answer(bench, 4, key);
    expect(await again).toEqual(key);
  });
});

describe("on PostgreSQL", () => {
  let db: TestDatabase;
  const { secret, hash, hint } = makeSecret("api", randomBytes);

  beforeAll(async () => {
    db = await createTestDatabase();
    const { organizationId } = key;
    await db.database
      .insertInto("organization")
      .values({ id: organizationId, name: "Test" })
      .execute();
    await db.database
      .insertInto("workspace")
      .values({
        id: "wksp_1",
        organization_id: organizationId,
        name: "One",
        description: null,
        display_color: "#000000",
        tags: "{}",
        archived_at: null,
      })
      .execute();
    await db.database
      .insertInto("api_key")
      .values({
        id: "apikey_1",
        organization_id: organizationId,
        workspace_id: "wksp_1",
        name: "Key",
        permission: "write",
        created_by_type: "local_operator",
        created_by_id: "0",
        expires_at: null,
      })
      .execute();
    await db.database
      .insertInto("api_key_secret")
      .values({ api_key_id: "apikey_1", hash, hint, created_at: new Date() })
      .execute();
  });
  afterAll(() => db.drop());

  const rows = makeRowSigner({ secret: "a secret of tests" });
  const makeCache = () =>
    makeKeyCache({
      lookup: (secretHashes) => findApiKeysByHashes(db.database, rows, secretHashes),
      msSinceContact: () => 0,
      leaseTtlMs: 120_000,
      clock: { nowMs: () => 0, monotonicMs: () => 0 },
    });

  test("finds a secret by its hash, and no other secret", async () => {
    const cache = makeCache();
    expect(await cache.find(secret)).toEqual(key);
    expect(await cache.find(newSecret())).toBe(null);
  });

  test("returns the own result of each of many hashes", async () => {
    const cache = makeCache();
    const secrets = [...Array.from({ length: 300 }, newSecret), secret, newSecret()];
    const found = await Promise.all(secrets.map((each) => cache.find(each)));
    expect(found).toEqual([...Array(300).fill(null), key, null]);
  });

  test("a key has the groups of its owner, and the tags of its workspace replaced by its own", async () => {
    const { organizationId } = key;
    const setTags = async (workspace: object, own: object) => {
      await db.database
        .updateTable("workspace")
        .set({ tags: JSON.stringify(workspace) })
        .execute();
      await db.database
        .updateTable("api_key")
        .set({ tags: JSON.stringify(own) })
        .execute();
    };
    const listTags = async () => {
      const found = await makeCache().find(secret);
      const tags = await db.database.selectFrom("tag").selectAll().execute();
      const texts = new Map(tags.map(({ id, name, value }) => [id, `${name}=${value}`]));
      expect(found?.tagIds).toEqual(found?.tagIds.toSorted());
      return found?.tagIds.map((id) => texts.get(id)).toSorted();
    };
    await setTags({ cost_center: "4711", team: "search" }, { cost_center: "4712", team: "" });
    expect(await listTags()).toEqual(["cost_center=4712"]);
    await setTags({ cost_center: "4711", team: "search" }, {});
    expect(await listTags()).toEqual(["cost_center=4711", "team=search"]);
    await setTags({}, {});

    await sql`INSERT INTO member (id, organization_id, email, name, role)
      VALUES ('user_1', ${organizationId}, 'ada@example.com', 'Ada', 'admin')`.execute(db.database);
    await sql`INSERT INTO member_group (id, organization_id, name)
      SELECT 'group_' || n, ${organizationId}, 'Group' FROM generate_series(1, 3) AS n`.execute(
      db.database,
    );
    await sql`INSERT INTO group_member (group_id, member_id) VALUES ('group_2', 'user_1'), ('group_1', 'user_1')`.execute(
      db.database,
    );
    expect((await makeCache().find(secret))?.groupIds).toEqual([]);
    const setOwner = (id: string | null) =>
      db.database.updateTable("api_key").set({ owner_member_id: id }).execute();
    await setOwner("user_1");
    expect((await makeCache().find(secret))?.groupIds).toEqual(["group_1", "group_2"]);
    await setOwner(null);
  });

  test("returns a new status, expiry and archived workspace only after a change", async () => {
    const cache = makeCache();
    expect(await cache.find(secret)).toEqual(key);
    const expiresAt = new Date("2026-11-30T12:00:00.000Z");
    await db.database
      .updateTable("api_key")
      .set({ status: "inactive", expires_at: expiresAt })
      .where("id", "=", "apikey_1")
      .execute();
    await db.database
      .updateTable("workspace")
      .set({ archived_at: new Date("2026-11-24T00:00:00.000Z") })
      .where("id", "=", "wksp_1")
      .execute();
    expect(cache.findCached(secret)).toEqual(key);
    cache.forget("anything");
    expect(await cache.find(secret)).toEqual({
      ...key,
      status: "inactive",
      expiresAtMs: expiresAt.getTime(),
      isWorkspaceArchived: true,
    });
  });
});

describe("unknown keys of one address", () => {
  test("leave half of a statement to keys of other addresses, and half of the queue", async () => {
    const bench = makeBench();
    const ask = (address: string) => bench.cache.find(newSecret(), address).catch((error) => error);
    // Four statements run. The queue has 4,096 places.
    for (let i = 0; i < 4; i++) void ask("192.0.2.1");
    const garbage = Array.from({ length: 2_100 }, () => ask("192.0.2.1"));
    expect(await garbage.at(-1)).toMatchObject({ code: "share_exhausted", status: 429 });
    const known = bench.cache.find(secretA, "192.0.2.2");
    await answer(bench, 0, key);
    expect(bench.asked.at(-1)).toBe(256);
    await answer(bench, 4, key);
    expect(await known).toEqual(key);
  });
});
