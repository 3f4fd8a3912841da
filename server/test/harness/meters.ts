import { randomUUID } from "node:crypto";
import fs from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect } from "vitest";
import type { Database } from "#src/db/pool.ts";
import type { BeginRecord, EndRecord } from "#src/domain/request-record.ts";
import { systemClock } from "#src/lib/clock.ts";
import { makeLogger } from "#src/lib/logger.ts";
import { type DiskJournal, openJournal } from "#src/recording/journal.ts";
import type { JournalOptions } from "#src/recording/journal-options.ts";
import { Meter, type MeterOptions } from "#src/recording/meter.ts";
import { appendUsage } from "#src/recording/record-usage.ts";
import { listRollupDifferences } from "#src/recording/verify.sql.ts";
import { encodeHoldCharges } from "#src/spend/ledger/hold-charges.ts";
import { raiseIncarnation } from "./database-snapshot.ts";
import { foldRollups } from "./folds.ts";
import { beginRecord, endRecord } from "./request-records.ts";

// Journal folder, node id and organization of consecutive processes.

export interface TestMeters {
  readonly directory: string;
  readonly organizationId: string;
  nodeId: string;
  logged: { level: number; msg: string }[];
  /** Error messages so far. */
  errors(): string[];
  openJournal(options?: Partial<JournalOptions>): DiskJournal;
  /** Starts a process on the folder, under the node id. Without `stop` it counts as killed. */
  start(options?: Partial<MeterOptions>, folder?: string): Promise<Meter>;
  begun(overrides?: Partial<BeginRecord>): BeginRecord;
  /** Records a complete request. */
  run(meter: Meter, nanoUsd: bigint, overrides?: Partial<EndRecord>): EndRecord;
  /** Lists the organization's events. Throws when the rollups do not add up to all events. */
  recorded(): Promise<{ id: string; outcome: string; nanoUsd: bigint }[]>;
  /** Totals of the organization's hours. */
  rolledUp(): Promise<{ requests: bigint; errors: bigint; nanoUsd: bigint }>;
  stop(): Promise<void>;
}

/** Creates a meter that flushes only when the test says so, and records under the node id of its journal. */
export function makeTestMeter(
  options: Pick<MeterOptions, "database" | "journal" | "logger"> & Partial<MeterOptions>,
): Meter {
  const { database, journal } = options;
  return new Meter({
    participants: [appendUsage({ nodeId: journal.nodeId, encodeHoldCharges })],
    fold: () => foldRollups(database),
    reportRollback: () => raiseIncarnation(database),
    version: "0.0.0",
    newInstallationId: randomUUID(),
    labelOf: (_, model) => model,
    clock: systemClock,
    flushEveryMs: 3_600_000,
    stopWithinMs: 0,
    ...options,
  });
}

export function makeTestMeters(database: Database): TestMeters {
  const meters: Meter[] = [];
  const logger = makeLogger("info", { write: (line) => made.logged.push(JSON.parse(line)) });
  const made: TestMeters = {
    directory: fs.mkdtempSync(path.join(tmpdir(), "bursar-meter-")),
    organizationId: randomUUID(),
    nodeId: `node_${randomUUID()}`,
    logged: [],
    errors: () => made.logged.filter(({ level }) => level >= 50).map(({ msg }) => msg),
    openJournal: (options = {}) =>
      openJournal({
        directory: made.directory,
        nodeId: made.nodeId,
        clock: systemClock,
        logger,
        ...options,
      }),
    async start(options = {}, folder = made.directory) {
      const journal = options.journal ?? made.openJournal({ directory: folder });
      // Folds work also where the meter's own database fails.
      const fold = () => foldRollups(database);
      const meter = makeTestMeter({ database, logger, fold, ...options, journal });
      meters.push(meter);
      await meter.start();
      return meter;
    },
    begun: (overrides = {}) => beginRecord({ organizationId: made.organizationId, ...overrides }),
    run(meter, nanoUsd, overrides = {}) {
      const begin = made.begun();
      meter.begin(begin);
      const end = endRecord(begin, nanoUsd, overrides);
      meter.end(end);
      return end;
    },
    async recorded() {
      await foldRollups(database);
      const rows = await database
        .selectFrom("recorded_request")
        .select(["request_id as id", "outcome", "cost_nano_usd as nanoUsd"])
        .where("organization_id", "=", made.organizationId)
        .orderBy("request_id")
        .execute();
      expect(await listRollupDifferences(database)).toEqual([]);
      return rows;
    },
    async rolledUp() {
      await foldRollups(database);
      const row = await database
        .selectFrom("usage_hour")
        .select((eb) => [
          eb.fn.sum<string>("requests").$castTo<string>().as("requests"),
          eb.fn.sum<string>("errors").$castTo<string>().as("errors"),
          eb.fn.sum<string>("cost_nano_usd").$castTo<string>().as("nanoUsd"),
        ])
        .where("organization_id", "=", made.organizationId)
        .executeTakeFirstOrThrow();
      return {
        requests: BigInt(row.requests),
        errors: BigInt(row.errors),
        nanoUsd: BigInt(row.nanoUsd),
      };
    },
    async stop() {
      await Promise.all(meters.map((meter) => meter.stop()));
      fs.rmSync(made.directory, { recursive: true, force: true });
    },
  };
  return made;
}

/** Makes a database whose next `count` commits fail. Each loses its result, or breaks before. */
export function makeUnreliable(
  database: Database,
  when: "after commit" | "before commit",
  count: number,
): Database {
  let left = count;
  return new Proxy(database, {
    get(target, name) {
      if (name !== "transaction") {
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === "function" ? value.bind(target) : value;
      }
      return () => ({
        execute: async (work: Parameters<ReturnType<Database["transaction"]>["execute"]>[0]) => {
          const fails = left > 0;
          left -= 1;
          const result = await target.transaction().execute(async (tx) => {
            const value = await work(tx);
            if (fails && when === "before commit") throw new Error("connection lost");
            return value;
          });
          if (fails) throw new Error("connection lost");
          return result;
        },
      });
    },
  });
}
