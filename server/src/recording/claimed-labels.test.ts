import { randomUUID } from "node:crypto";
import { expect } from "vitest";
import type { Database } from "#src/db/pool.ts";
import type { ClaimedLabels } from "#src/domain/request-record.ts";
import { makeLogger } from "#src/lib/logger.ts";
import { test } from "#test/harness/database-test.ts";
import { makeTestMeter, makeTestMeters } from "#test/harness/meters.ts";
import { beginRecord, endRecord } from "#test/harness/request-records.ts";
import type { Meter } from "./meter.ts";
import { openPostgresJournal } from "./postgres-journal.ts";

// Labels that clients claim, through a crash of the process that has them in its journal.

const labels: readonly ClaimedLabels[] = [
  { agentSessionId: "session_1", promptId: "prompt_1", requestClass: "main" },
  { agentSessionId: "session_1", promptId: "prompt_1", agentId: "a", requestClass: "subagent" },
  { agentSessionId: "session_1", promptId: "prompt_2", agentId: "b", parentAgentId: "a" },
  { agentSessionId: "session_2" },
];

/** Ends each request but the last, is killed, and is started again. */
async function crash(database: Database, start: () => Promise<Meter>) {
  const organizationId = randomUUID();
  const killed = await start();
  const begins = [...labels, labels[0] as ClaimedLabels].map((claimed) =>
    beginRecord({ organizationId, claimed }),
  );
  for (const begin of begins) await killed.beginSynced(begin);
  for (const [at, begin] of begins.slice(0, -1).entries()) {
    killed.end(endRecord(begin, 10n ** BigInt(at)));
    if (at === 0) await killed.flush();
  }
  await killed.beginSynced(beginRecord({ organizationId }));
  const next = await start();
  expect(await next.flush()).toBe(true);
  const rows = await database
    .selectFrom("recorded_request")
    .select(["agent_session_id", "prompt_id", "agent_id", "parent_agent_id", "request_class"])
    .select("cost_nano_usd as nanoUsd")
    .where("organization_id", "=", organizationId)
    .orderBy("request_id")
    .execute();
  return { rows, stop: () => next.stop() };
}

const nothing = { prompt_id: null, agent_id: null, parent_agent_id: null, request_class: null };
const main = { ...nothing, agent_session_id: "session_1", prompt_id: "prompt_1" };
const expected = [
  { ...main, request_class: "main", nanoUsd: 1n },
  { ...main, agent_id: "a", request_class: "subagent", nanoUsd: 10n },
  { ...main, prompt_id: "prompt_2", agent_id: "b", parent_agent_id: "a", nanoUsd: 100n },
  { ...nothing, agent_session_id: "session_2", nanoUsd: 1_000n },
  { ...main, request_class: "main", nanoUsd: 0n },
  { ...nothing, agent_session_id: null, nanoUsd: 0n },
];

test("a journal on disk keeps the labels and the cost of each request after a kill", async ({
  db,
}) => {
  const meters = makeTestMeters(db.database);
  const { rows } = await crash(db.database, () => meters.start());
  expect(rows).toEqual(expected);
  await meters.stop();
});

test("a journal in the database keeps them too", async ({ db }) => {
  const { database } = db;
  const nodeId = `node_${randomUUID()}`;
  const logger = makeLogger("silent");
  const { rows, stop } = await crash(database, async () => {
    const journalId = `jrnl_${randomUUID()}`;
    const journal = await openPostgresJournal({ database, nodeId, journalId, logger });
    const meter = makeTestMeter({ database, journal, logger });
    await meter.start();
    return meter;
  });
  expect(rows).toEqual(expected);
  await stop();
});
