import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeSecret } from "#src/domain/key-format.ts";
import { createTestDatabase, type TestDatabase } from "#test/harness/database.ts";
import { type FoundKey, findApiKeyByHash } from "./api-key-lookup.sql.ts";
import { makeKeyCache } from "./key-cache.ts";

const key: FoundKey = {
  id: "apikey_1",
  organizationId: "6f1f7c0e-0d3c-4a51-9d3e-2a6f3a6f3a6f",
  workspaceId: "wksp_1",
  permission: "write",
  status: "active",
  expiresAtMs: null,
  isWorkspaceArchived: false,
  secretId: 1,
  secretValidUntilMs: null,
  ownerMemberId: null,
  ownerState: null,
  allowedModels: null,
  allowedAddresses: null,
};

/** Look-ups that a test answers by hand. */
function makeBench() {
  const lookups: PromiseWithResolvers<FoundKey | null>[] = [];
  const bench = { nowMs: 0, silenceMs: 0 };
  const cache = makeKeyCache({
    lookup: () => {
      const lookup = Promise.withResolvers<FoundKey | null>();
      lookups.push(lookup);
      return lookup.promise;
    },
    msSinceContact: () => bench.silenceMs,
    leaseTtlMs: 120_000,
    clock: { nowMs: () => bench.nowMs, monotonicMs: () => bench.nowMs },
  });
  return Object.assign(bench, { cache, lookups });
}

const newSecret = () => makeSecret("api", randomBytes).secret;
const secretA = newSecret();

async function answer(bench: ReturnType<typeof makeBench>, index: number, found: FoundKey | null) {
  bench.lookups[index]?.resolve(found);
  await bench.lookups[index]?.promise;
}

describe("in memory", () => {
  test("a key that was found is answered without another look-up, until a change is seen", async () => {
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

  test("many requests with one unknown secret make one look-up, and its answer holds for 3 s", async () => {
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

  test("a row that was read while a change arrived is not kept", async () => {
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

  test("without contact for longer than the TTL a cached key is not believed", async () => {
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
    await expect(again).rejects.toMatchObject({ code: "unavailable" });
  });

  test("at most 4 look-ups run and 256 wait; one more is refused at once", async () => {
    const bench = makeBench();
    const finds = Array.from({ length: 4 + 256 }, () => bench.cache.find(newSecret()));
    expect(bench.lookups.length).toBe(4);
    await expect(bench.cache.find(newSecret())).rejects.toMatchObject({ code: "unavailable" });
    for (let i = 0; i < finds.length; i++) {
      await answer(bench, i, null);
      await finds[i];
    }
    expect(bench.lookups.length).toBe(260);
  });

  test("a look-up that fails refuses those that wait behind it, and keeps nothing", async () => {
    const bench = makeBench();
    const finds = Array.from({ length: 6 }, () => bench.cache.find(newSecret()));
    const results = Promise.allSettled(finds);
    bench.lookups[0]?.reject(new Error("connection refused"));
    await expect(finds[5]).rejects.toMatchObject({ code: "unavailable" });
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

  const makeCache = () =>
    makeKeyCache({
      lookup: (secretHash) => findApiKeyByHash(db.database, secretHash),
      msSinceContact: () => 0,
      leaseTtlMs: 120_000,
      clock: { nowMs: () => 0, monotonicMs: () => 0 },
    });

  test("a secret is found by its hash, and another one is not", async () => {
    const cache = makeCache();
    expect(await cache.find(secret)).toEqual(key);
    expect(await cache.find(newSecret())).toBe(null);
  });

  test("status, expiry and an archived workspace are seen after a change, and only then", async () => {
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
