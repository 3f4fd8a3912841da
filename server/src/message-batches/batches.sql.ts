import type { FailoverReason } from "@bursar/contract/usage-shape.ts";
import { sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import type { PageRequest } from "#src/domain/page-position.ts";
import type { OpenEndedHolds } from "#src/spend/ledger/open-ended-holds.ts";
import type { BatchLine } from "./read-line.ts";
import { encodeOpenEnded } from "./stored-open-ended.ts";
import { encodeWorstCase } from "./stored-worst-case.ts";

// Rows of message batches and their lines.

/**
 * - preparing: the body arrives, and its lines are stored.
 * - held: its cost is held, and nothing was sent.
 * - sent: may have reached the upstream, whose answer is unknown.
 * - running: the upstream has it.
 * - metered: all lines are recorded, and nothing is held.
 * - refused: the upstream has not accepted it, and nothing is held.
 * - unresolved: the upstream may have run it. Its hold counts until it is released or charged.
 */
export type BatchState =
  | "preparing"
  | "held"
  | "sent"
  | "running"
  | "metered"
  | "refused"
  | "unresolved";

/** Labels of all lines of a batch, as of its creation. */
export interface BatchLabels {
  id: string;
  organizationId: string;
  workspaceId: string;
  apiKeyId: string;
  memberId: string | null;
  groupIds: readonly string[];
  tagIds: readonly string[];
  client: string;
  upstreamId: string;
  isSimulated: boolean;
  /** Why the first upstream of the order did not get it. Null: it did. */
  failover: FailoverReason | null;
  /** Decides periods and prices. */
  startedAt: Date;
}

export interface StoredBatch extends BatchLabels {
  state: BatchState;
  upstreamBatchId: string | null;
  nodeId: string;
  lineCount: number;
  holdNanoUsd: bigint;
  meteredLines: number;
  costNanoUsd: bigint;
  sentAt: Date | null;
  expiresAt: Date | null;
  endedAt: Date | null;
  lastObject: unknown;
  /** See `decodeOpenEnded`. */
  openEndedHolds: unknown;
}

export const batchColumns = sql`id, organization_id AS "organizationId", workspace_id AS "workspaceId",
  api_key_id AS "apiKeyId", member_id AS "memberId", group_ids AS "groupIds", tag_ids AS "tagIds", client,
  upstream_id AS "upstreamId", is_simulated AS "isSimulated", failover, started_at AS "startedAt", state,
  upstream_batch_id AS "upstreamBatchId", node_id AS "nodeId", line_count AS "lineCount",
  hold_nano_usd AS "holdNanoUsd", metered_lines AS "meteredLines", cost_nano_usd AS "costNanoUsd",
  sent_at AS "sentAt", expires_at AS "expiresAt", ended_at AS "endedAt",
  last_object AS "lastObject", open_ended_holds AS "openEndedHolds"`;

export interface NewBatch extends Omit<BatchLabels, "failover"> {
  nodeId: string;
}

/** Inserts a batch whose body arrives. */
export async function insertBatch(db: Database | Tx, batch: NewBatch): Promise<void> {
  await sql`
    INSERT INTO message_batch (id, organization_id, workspace_id, api_key_id, member_id, group_ids, tag_ids, client,
      upstream_id, is_simulated, started_at, node_id, state)
    VALUES (${batch.id}, ${batch.organizationId}::uuid, ${batch.workspaceId}, ${batch.apiKeyId}, ${batch.memberId},
      ${[...batch.groupIds]}::text[], ${[...batch.tagIds]}::text[], ${batch.client}, ${batch.upstreamId},
      ${batch.isSimulated}, ${batch.startedAt}, ${batch.nodeId}, 'preparing')`.execute(db);
}

/** Inserts lines of a batch. Throws a unique violation for a custom id that the batch has already. */
export async function insertLines(
  db: Database | Tx,
  batchId: string,
  lines: readonly BatchLine[],
): Promise<void> {
  await sql`
    INSERT INTO message_batch_line
      (batch_id, custom_id, line, model, hold_nano_usd, worst_case, has_unbilled_parts, is_open_ended)
    SELECT ${batchId}, one.* FROM unnest(${lines.map(({ customId }) => customId)}::text[],
      ${lines.map(({ index }) => index)}::integer[], ${lines.map(({ model }) => model)}::text[],
      ${lines.map(({ worstCase }) => worstCase.nanoUsd)}::bigint[],
      ${lines.map(({ worstCase }) => encodeWorstCase(worstCase))}::jsonb[],
      ${lines.map((line) => line.hasUnbilledParts)}::boolean[],
      ${lines.map(({ worstCase }) => worstCase.kind !== "closed")}::boolean[]) AS one`.execute(db);
}

/** Locks a batch, and returns its state. Null: the database does not have it. */
export async function lockState(tx: Tx, id: string): Promise<BatchState | null> {
  const { rows } = await sql<{ state: BatchState }>`
    SELECT state FROM message_batch WHERE id = ${id} FOR UPDATE`.execute(tx);
  return rows[0]?.state ?? null;
}

/** Deletes a batch whose state is from before a failover, with its lines. */
export async function deleteBatchRow(tx: Tx, id: string): Promise<void> {
  await sql`DELETE FROM message_batch WHERE id = ${id}`.execute(tx);
}

/** Deletes a batch that was refused before its hold, with its lines. */
export async function deleteUnheldBatch(db: Database | Tx, id: string): Promise<boolean> {
  const { numAffectedRows } = await sql`
    DELETE FROM message_batch WHERE id = ${id} AND state = 'preparing'`.execute(db);
  return numAffectedRows === 1n;
}

export interface HeldBatch {
  id: string;
  startedAt: Date;
  lineCount: number;
  holdNanoUsd: bigint;
  bodyHash: string;
  openEnded: OpenEndedHolds;
}

/** Marks a batch as held. False: the recovery has ended it. */
export async function markHeld(tx: Tx, held: HeldBatch): Promise<boolean> {
  const { numAffectedRows } = await sql`
    UPDATE message_batch SET state = 'held', started_at = ${held.startedAt}, line_count = ${held.lineCount},
      hold_nano_usd = ${held.holdNanoUsd}, body_hash = ${held.bodyHash}, waits_until = NULL,
      open_ended_holds = ${encodeOpenEnded(held.openEnded)}::jsonb
    WHERE id = ${held.id} AND state = 'preparing'`.execute(tx);
  return numAffectedRows === 1n;
}

/** Upstream that gets a batch. */
export interface BatchUpstream {
  upstreamId: string;
  isSimulated: boolean;
  /** Why earlier upstreams did not get it. Null: it is the first one. */
  failover: FailoverReason | null;
}

/**
 * Marks a batch as sent to an upstream, before its first byte is sent there. A sent batch can move on to another upstream. False:
 * the recovery has ended it, and nothing may be sent.
 */
export async function markSent(
  db: Database | Tx,
  id: string,
  { upstreamId, isSimulated, failover }: BatchUpstream,
): Promise<boolean> {
  const { numAffectedRows } = await sql`
    UPDATE message_batch SET state = 'sent', sent_at = coalesce(sent_at, clock_timestamp()),
      upstream_id = ${upstreamId}, is_simulated = ${isSimulated}, failover = ${failover}
    WHERE id = ${id} AND state IN ('held', 'sent') AND node_id <> ''`.execute(db);
  return numAffectedRows === 1n;
}

/** Marks a sent batch as lost: its process no longer waits for an answer. Does nothing for a batch in another state. */
export async function markLost(db: Database, id: string): Promise<void> {
  await sql`UPDATE message_batch SET node_id = '' WHERE id = ${id} AND state = 'sent'`.execute(db);
  await announceBatches(db);
}

/** Lets all processes look at the batches. They look without it too, later. */
export async function announceBatches(db: Database | Tx): Promise<void> {
  await sql`SELECT pg_notify('bursar_batches', '')`.execute(db);
}

/** State of a batch as its upstream reports it. */
export interface ReportedBatch {
  upstreamBatchId: string;
  object: unknown;
  expiresAt: Date | null;
  endedAt: Date | null;
}

/** Marks a batch as running. False: it is in another state, or has another id. */
export async function markRunning(
  tx: Database | Tx,
  id: string,
  { upstreamBatchId, object, expiresAt, endedAt }: ReportedBatch,
): Promise<boolean> {
  const { numAffectedRows } = await sql`
    UPDATE message_batch SET state = 'running', upstream_batch_id = ${upstreamBatchId},
      last_object = ${JSON.stringify(object)}::jsonb, expires_at = ${expiresAt}, ended_at = ${endedAt},
      poll_at = clock_timestamp()
    WHERE id = ${id} AND (state = 'sent' OR (state = 'running' AND upstream_batch_id = ${upstreamBatchId}))`.execute(
    tx,
  );
  await announceBatches(tx);
  return numAffectedRows === 1n;
}

/** Stores the newest state of a batch. `isDue`: look at it again at once. */
export async function saveReported(
  db: Database | Tx,
  id: string,
  { object, expiresAt, endedAt }: Omit<ReportedBatch, "upstreamBatchId">,
  { isDue }: { isDue: boolean },
): Promise<void> {
  await sql`
    UPDATE message_batch SET last_object = ${JSON.stringify(object)}::jsonb, expires_at = ${expiresAt},
      ended_at = coalesce(ended_at, ${endedAt}),
      poll_at = CASE WHEN ${isDue} AND state = 'running' THEN clock_timestamp() ELSE poll_at END
    WHERE id = ${id}`.execute(db);
  if (isDue) await announceBatches(db);
}

/** Moves a batch to its last state, and locks it. False: it is in none of the states `from`. */
export async function endBatch(
  tx: Tx,
  id: string,
  { from, to }: { from: readonly BatchState[]; to: "metered" | "refused" | "unresolved" },
): Promise<boolean> {
  const { numAffectedRows } = await sql`
    UPDATE message_batch SET state = ${to}, poll_at = NULL
    WHERE id = ${id} AND state = ANY(${[...from]}::text[])`.execute(tx);
  return numAffectedRows === 1n;
}

export async function findBatch(db: Database | Tx, id: string): Promise<StoredBatch | null> {
  const { rows } = await sql<StoredBatch>`
    SELECT ${batchColumns} FROM message_batch WHERE id = ${id}`.execute(db);
  return rows[0] ?? null;
}

/** Finds a batch by its id at its upstream. */
export async function findBatchOfUpstream(
  db: Database | Tx,
  of: { organizationId: string; workspaceId: string; upstreamBatchId: string },
): Promise<StoredBatch | null> {
  const { rows } = await sql<StoredBatch>`
    SELECT ${batchColumns} FROM message_batch
    WHERE upstream_batch_id = ${of.upstreamBatchId} AND organization_id = ${of.organizationId}::uuid
      AND workspace_id = ${of.workspaceId}
    ORDER BY started_at DESC LIMIT 1`.execute(db);
  return rows[0] ?? null;
}

/** Lists batches of a workspace that the upstream has accepted: one row more than the page, in the order of its direction. */
export async function listBatches(
  db: Database,
  owner: { organizationId: string; workspaceId: string },
  { direction, from, limit }: PageRequest,
): Promise<StoredBatch[]> {
  const isOlder = direction === "older";
  const order = isOlder ? sql`DESC` : sql`ASC`;
  const compare = isOlder ? sql`<` : sql`>`;
  const isAfter =
    from === null
      ? sql`true`
      : sql`(started_at, id) ${compare} (${new Date(from.createdAtMs)}::timestamptz, ${from.id})`;
  const { rows } = await sql<StoredBatch>`
    SELECT ${batchColumns} FROM message_batch
    WHERE organization_id = ${owner.organizationId}::uuid AND workspace_id = ${owner.workspaceId}
      AND upstream_batch_id IS NOT NULL AND ${isAfter}
    ORDER BY started_at ${order}, id ${order} LIMIT ${limit + 1}`.execute(db);
  return rows;
}

/** Deletes a batch that its upstream has deleted. One whose lines are not recorded stays. */
export async function deleteMeteredBatch(db: Database, id: string): Promise<void> {
  await sql`DELETE FROM message_batch WHERE id = ${id} AND state = 'metered'`.execute(db);
}

/** Finds the newest batch that the same key has created with the same body since a time. */
export async function findSameBatch(
  db: Database,
  of: { apiKeyId: string; bodyHash: string; sinceMs: number; exceptId: string },
): Promise<StoredBatch | null> {
  const { rows } = await sql<StoredBatch>`
    SELECT ${batchColumns} FROM message_batch
    WHERE api_key_id = ${of.apiKeyId} AND body_hash = ${of.bodyHash} AND id <> ${of.exceptId}
      AND started_at >= ${new Date(of.sinceMs)} AND state IN ('held', 'sent', 'running', 'metered')
    ORDER BY started_at DESC, id DESC LIMIT 1`.execute(db);
  return rows[0] ?? null;
}

/** Takes running batches that are due, for some time. Another process then takes none of them. */
export async function claimDue(
  db: Database,
  { limit, forMs }: { limit: number; forMs: number },
): Promise<StoredBatch[]> {
  const { rows } = await sql<StoredBatch>`
    UPDATE message_batch SET poll_at = clock_timestamp() + ${forMs} * interval '1 millisecond'
    WHERE id IN (SELECT id FROM message_batch WHERE poll_at <= clock_timestamp() AND state = 'running'
      ORDER BY poll_at LIMIT ${limit} FOR UPDATE SKIP LOCKED)
    RETURNING ${batchColumns}`.execute(db);
  return rows;
}

/** Sets the time of the next look at a running batch. */
export async function setNextLook(
  db: Database,
  id: string,
  { afterMs }: { afterMs: number },
): Promise<void> {
  await sql`
    UPDATE message_batch SET poll_at = clock_timestamp() + ${afterMs} * interval '1 millisecond'
    WHERE id = ${id} AND state = 'running'`.execute(db);
}

/** Deletes batches that the upstream never had, some days after their refusal. */
export async function deleteOldRefused(db: Database, { days }: { days: number }): Promise<void> {
  await sql`
    DELETE FROM message_batch WHERE state = 'refused'
      AND started_at < clock_timestamp() - ${days} * interval '1 day'`.execute(db);
}

/** Age of a batch without an answer after which its process cannot wait for one, milliseconds. */
const LEFT_MS = 60 * 60_000;
/** The same for a node without contact with the database. */
const SILENT_MS = 10 * 60_000;

/** True for a batch whose process no longer waits for an answer: a marked one, one of a silent node, and an old one. */
const isLeft = sql`(node_id = ''
  OR (coalesce(sent_at, started_at) < clock_timestamp() - ${SILENT_MS} * interval '1 millisecond' AND NOT EXISTS (
    SELECT FROM node_contact AS node WHERE node.id = node_id AND node.lease_expires_at > clock_timestamp()))
  OR coalesce(sent_at, started_at) < clock_timestamp() - ${LEFT_MS} * interval '1 millisecond')`;

/**
 * Takes lost batches for some time, also those of `nodeId` from before its start. Batches of the oldest search come first.
 */
export async function claimLeft(
  db: Database,
  of: { nodeId: string; startedAtMs: number; limit: number; forMs: number },
): Promise<StoredBatch[]> {
  const { rows } = await sql<StoredBatch>`
    UPDATE message_batch SET poll_at = clock_timestamp() + ${of.forMs} * interval '1 millisecond'
    WHERE id IN (SELECT id FROM message_batch
      WHERE state IN ('preparing', 'held', 'sent')
        AND (${isLeft} OR (node_id = ${of.nodeId} AND started_at < ${new Date(of.startedAtMs)}))
        AND coalesce(poll_at, started_at) <= clock_timestamp()
      ORDER BY coalesce(poll_at, started_at) LIMIT ${of.limit} FOR UPDATE SKIP LOCKED)
    RETURNING ${batchColumns}`.execute(db);
  return rows;
}

/** Locks a batch, and finds it. `isAwaited`: its process may still wait for the answer to the dispatch. */
export async function findBatchForUpdate(
  tx: Tx,
  id: string,
): Promise<(StoredBatch & { isAwaited: boolean }) | null> {
  const { rows } = await sql<StoredBatch & { isAwaited: boolean }>`
    SELECT ${batchColumns}, state = 'sent' AND NOT ${isLeft} AS "isAwaited"
    FROM message_batch WHERE id = ${id} FOR UPDATE`.execute(tx);
  return rows[0] ?? null;
}

/** A line that is marked as metered by this statement. */
export interface MarkedLine {
  customId: string;
  line: number;
  model: string;
  /** Highest cost, nano-USD. */
  holdNanoUsd: bigint;
  isOpenEnded: boolean;
  worstCase: unknown;
  hasUnbilledParts: boolean;
}

/** Marks lines as metered, and returns those that were not. Each line is returned once. */
export async function markMetered(
  tx: Tx,
  batchId: string,
  customIds: readonly string[],
): Promise<MarkedLine[]> {
  const { rows } = await sql<MarkedLine>`
    UPDATE message_batch_line SET is_metered = true
    WHERE batch_id = ${batchId} AND custom_id = ANY(${[...customIds]}::text[]) AND NOT is_metered
    RETURNING custom_id AS "customId", line, model, hold_nano_usd AS "holdNanoUsd", worst_case AS "worstCase",
      has_unbilled_parts AS "hasUnbilledParts", is_open_ended AS "isOpenEnded"`.execute(tx);
  return rows;
}

/** Locks a running batch. False: it is in another state. */
export async function lockRunning(tx: Tx, id: string): Promise<boolean> {
  const { rows } = await sql`
    SELECT FROM message_batch WHERE id = ${id} AND state = 'running' FOR UPDATE`.execute(tx);
  return rows.length > 0;
}

/** Adds metered lines to the numbers of a batch. Its worker keeps it for another `takenMs`. */
export async function addMetered(
  tx: Tx,
  id: string,
  added: { lines: number; costNanoUsd: bigint; takenMs: number },
): Promise<void> {
  await sql`
    UPDATE message_batch SET metered_lines = metered_lines + ${added.lines},
      cost_nano_usd = cost_nano_usd + ${added.costNanoUsd},
      poll_at = CASE WHEN state = 'running'
        THEN clock_timestamp() + ${added.takenMs} * interval '1 millisecond' END
    WHERE id = ${id}`.execute(tx);
}

/**
 * Counts the lines without a result, and sums their holds: one sum for each highest hold of an open-ended line. Null: its worst
 * case.
 */
export async function sumUnmetered(
  tx: Tx,
  id: string,
  highest: readonly (bigint | null)[],
): Promise<{ lines: number; sums: bigint[] }> {
  const { rows } = await sql<{ lines: number; sum: bigint }>`
    SELECT count(line.batch_id)::integer AS lines,
      coalesce(sum(CASE WHEN is_open_ended THEN least(hold_nano_usd, highest) ELSE hold_nano_usd END), 0)::bigint AS sum
    FROM unnest(${[...highest]}::bigint[]) WITH ORDINALITY AS one (highest, place)
    LEFT JOIN message_batch_line AS line ON line.batch_id = ${id} AND NOT line.is_metered
    GROUP BY place ORDER BY place`.execute(tx);
  return { lines: rows[0]?.lines ?? 0, sums: rows.map(({ sum }) => sum) };
}

/** Deletes the lines of a batch. */
export async function deleteLines(tx: Tx, id: string): Promise<void> {
  await sql`DELETE FROM message_batch_line WHERE batch_id = ${id}`.execute(tx);
}

/** True while no fold has counted all appended lines of a batch. */
export async function hasUnfoldedLines(db: Database | Tx, id: string): Promise<boolean> {
  const { rows } = await sql<{ has: boolean }>`
    SELECT EXISTS (SELECT FROM usage_batch WHERE journal_id = ${id} AND set_aside_at IS NULL) AS has`.execute(
    db,
  );
  return rows[0]?.has === true;
}

/** Counts how many of these ids are custom ids of the batch. */
export async function countKnownIds(
  db: Database,
  batchId: string,
  customIds: readonly string[],
): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    SELECT count(*)::integer AS count FROM message_batch_line
    WHERE batch_id = ${batchId} AND custom_id = ANY(${[...customIds]}::text[])`.execute(db);
  return rows[0]?.count ?? 0;
}

/** Lists those of these ids that a batch has at this upstream. */
export async function listKnownUpstreamIds(
  db: Database,
  of: { upstreamId: string; ids: readonly string[] },
): Promise<Set<string>> {
  const { rows } = await sql<{ id: string }>`
    SELECT upstream_batch_id AS id FROM message_batch
    WHERE upstream_id = ${of.upstreamId} AND upstream_batch_id = ANY(${[...of.ids]}::text[])`.execute(
    db,
  );
  return new Set(rows.map(({ id }) => id));
}

/**
 * Counts the lost batches of the upstream with the same custom ids. `same`: attempts of the same key with the same body, this one
 * included. `foreign`: others, so that a match could belong to either.
 */
export async function countLostTwins(
  db: Database,
  batch: StoredBatch,
): Promise<{ same: number; foreign: number }> {
  const { rows } = await sql<{ same: number; foreign: number }>`
    SELECT count(*) FILTER (WHERE is_same)::integer AS same, count(*) FILTER (WHERE NOT is_same)::integer AS foreign
    FROM (SELECT api_key_id = ${batch.apiKeyId}
        AND body_hash = (SELECT body_hash FROM message_batch WHERE id = ${batch.id}) AS is_same
      FROM message_batch WHERE upstream_id = ${batch.upstreamId}
      AND state = 'sent' AND line_count = ${batch.lineCount}
      AND NOT EXISTS (SELECT FROM message_batch_line AS one WHERE one.batch_id = message_batch.id
        AND NOT EXISTS (SELECT FROM message_batch_line AS other WHERE other.batch_id = ${batch.id}
          AND other.custom_id = one.custom_id))) AS lost`.execute(db);
  return rows[0] ?? { same: 0, foreign: 0 };
}
