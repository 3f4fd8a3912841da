import { describe, expect } from "vitest";
import type { ScopeType } from "#src/db/tables.ts";
import { closeHoursBefore } from "#src/recording/close-hours.ts";
import { lockFold } from "#src/recording/fold-lock.sql.ts";
import type { TestDatabase } from "#test/harness/database.ts";
import {
  HOUR_MS,
  NO_FOLD,
  setProgress,
  startOf,
  test,
} from "#test/harness/watched-balances-test.ts";
import { countLimits } from "./lease-draws.sql.ts";

describe("a member, group or tag", () => {
  /** Owner, groups and tags of a request of the company. */
  function makePeople({ ids }: { ids: { api_key: string } }) {
    const of = (name: string) => `${name}_${ids.api_key}`;
    const people = {
      memberId: of("user_1"),
      groupIds: [of("group_1"), of("group_2")],
      tagIds: [of("tag_1")],
    };
    const scopes: (readonly [ScopeType, string])[] = [
      ["member", people.memberId],
      ...people.groupIds.map((id) => ["group", id] as const),
      ["tag", people.tagIds[0] ?? ""],
    ];
    const all = (value: readonly [bigint, boolean]) =>
      Object.fromEntries(scopes.map(([, id]) => [id, value]));
    return { of, people, scopes, all };
  }

  /** Stored balances of the month of a moment by the id of the scope: [settled, is complete]. */
  async function listBalances({ database }: TestDatabase, ids: readonly string[], atMs: number) {
    const rows = database
      .selectFrom("balance")
      .selectAll()
      .where("scope_id", "in", ids)
      .where("period_start", "=", startOf("monthly", atMs));
    return Object.fromEntries(
      (await rows.execute()).map((row) => [row.scope_id, [row.settled_nano_usd, row.is_complete]]),
    );
  }

  test.for([
    ["in a closed hour", 1],
    ["in an open hour", 0],
  ] as const)(
    "finds the spend of its period %s, and each request counts in all of its scopes",
    async ([, closedHours], { db, company }) => {
      const { of, people, scopes, all } = makePeople(company);
      const ids = scopes.map(([, id]) => id);
      const startMs = company.hourMs - HOUR_MS;
      await setProgress(startMs).execute(db.database);
      await company.append(5n, startMs, people);
      await company.append(3n, startMs, { memberId: of("user_2"), groupIds: [of("group_3")] });
      await company.append(2n);
      await company.fold();
      await closeHoursBefore(db.database, startMs + closedHours * HOUR_MS);
      for (const [scopeType, id] of scopes) await company.limitPerson(scopeType, id);
      expect(await listBalances(db, ids, startMs)).toEqual(all([5n, false]));
      await countLimits(db.database, { lockFold, fold: NO_FOLD, atMs: null });
      expect(await listBalances(db, ids, startMs)).toEqual(all([5n, true]));
      // The chain of a key changes with the groups of its owner.
      await company.append(7n, company.nowMs, { ...people, groupIds: [of("group_2")] });
      await company.fold();
      const [group = ""] = people.groupIds;
      const isSameMonth = startOf("monthly", startMs) === startOf("monthly", company.nowMs);
      expect(await listBalances(db, ids, company.nowMs)).toEqual({
        ...all([isSameMonth ? 12n : 7n, true]),
        [group]: isSameMonth ? [5n, true] : undefined,
      });
      await company.verify();
    },
  );

  test("is summed by each fold while nodes of version 0.1 may live, and exact afterwards", async ({
    db,
    company,
  }) => {
    const { people, scopes, all } = makePeople(company);
    const ids = scopes.map(([, id]) => id);
    const startMs = company.hourMs - HOUR_MS;
    await setProgress("infinity").execute(db.database);
    await company.append(5n, startMs, people);
    await company.fold();
    for (const [scopeType, id] of scopes) await company.limitPerson(scopeType, id);
    await countLimits(db.database, { lockFold, fold: NO_FOLD, atMs: null });
    expect(await listBalances(db, ids, startMs)).toEqual(all([5n, false]));
    await company.append(7n, startMs, people);
    await company.fold();
    expect(await listBalances(db, ids, startMs)).toEqual(all([12n, false]));
    // Closing begins with the running hour, after the last node of version 0.1.
    await setProgress(company.hourMs).execute(db.database);
    await countLimits(db.database, { lockFold, fold: NO_FOLD, atMs: null });
    expect(await listBalances(db, ids, startMs)).toEqual(all([12n, true]));
  });
});
