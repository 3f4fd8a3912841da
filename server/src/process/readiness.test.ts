import { expect, test } from "vitest";
import { decideReadiness, type ReadinessFacts } from "./readiness.ts";

const usage = { bytes: 90, maxBytes: 100, unflushedBytes: 90 };
const TTL_MS = 120_000;
const serving: ReadinessFacts = {
  isDraining: false,
  meter: { isFenced: false, isJournalHealthy: true, journal: null },
  databaseSilenceMs: 250,
  leaseTtlMs: TTL_MS,
  hasLeaseExpired: false,
  journal: "disk",
};
const away = { databaseSilenceMs: 30_000 };

test.each<[string, Partial<ReadinessFacts>, string, string | null]>([
  ["that reaches its database", {}, "ready", null],
  ["whose database is away", away, "degraded", "database_away"],
  ["at the end of the TTL", { databaseSilenceMs: TTL_MS }, "degraded", "database_away"],
  ["after the TTL", { databaseSilenceMs: TTL_MS + 1 }, "not ready", "database_away"],
  ["without leases", { ...away, hasLeaseExpired: true }, "not ready", "database_away"],
  ["whose leases are not renewed", { hasLeaseExpired: true }, "not ready", "leases_expired"],
  ["whose journal is away with it", { ...away, journal: "postgres" }, "not ready", "database_away"],
  ["with its journal in the database", { journal: "postgres" }, "ready", null],
  ["that drains", { ...away, isDraining: true }, "not ready", "draining"],
  ["that is fenced", { meter: { ...serving.meter, isFenced: true } }, "not ready", "node_fenced"],
  [
    "that cannot write its journal",
    { meter: { ...serving.meter, isJournalHealthy: false } },
    "not ready",
    "journal_failed",
  ],
  [
    "whose journal is full",
    { ...away, meter: { ...serving.meter, journal: { ...usage, isFull: true } } },
    "not ready",
    "journal_full",
  ],
])("a node %s", (_, facts, status, reason) => {
  expect(decideReadiness({ ...serving, ...facts })).toMatchObject({ status, reason });
});

test("the checks of a degraded node name only the database", () => {
  expect(decideReadiness({ ...serving, ...away }).checks).toEqual({
    draining: "no",
    database: "away",
    journal: "ok",
    leases: "ok",
    node: "ok",
  });
});
