import {
  amountColumns,
  attributionColumns,
  claimedColumns,
  eventLabels,
  mapKeys,
} from "@bursar/contract/usage-shape.ts";
import { CompiledQuery, sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import { prepareOnce } from "#src/db/prepared.ts";
import { assert } from "#src/lib/assert.ts";
import { mapInSlices } from "#src/lib/slices.ts";
import {
  type ColumnTypes,
  columnParameters,
  columnTexts,
  columnTextsInSlices,
} from "./column-arrays.ts";
import { findRollupProgress } from "./open-hours.sql.ts";
import {
  changeId,
  type Entry,
  type EventRefs,
  hashAttribution,
  listMissing,
  UsageDictionary,
} from "./usage-dictionary.ts";
import { toUsageRecord, type UsageRecordRow } from "./usage-record-rows.ts";
import { type EndedRequests, toUsageEvent, toUsageTexts, type UsageLabels } from "./usage-rows.ts";

// Batches travel as one array per column: one statement however many rows (measured about 75,000 rows/s). Rows are built in
// slices, so that a large batch does not delay requests.

const recordTypes: ColumnTypes<UsageRecordRow> = {
  started_at: "timestamptz",
  labels_id: "bigint",
  prices_id: "bigint",
  usage_node_id: "bigint",
  hold_nano_usd: "bigint",
  ...mapKeys(amountColumns, () => "bigint"),
  duration_ms: "integer",
  first_byte_ms: "integer",
  http_status: "smallint",
  outcome_code: "smallint",
  is_stream: "boolean",
  is_estimated: "boolean",
  is_unpriced: "boolean",
  doubt_code: "smallint",
  has_unbilled_parts: "boolean",
  request_id: "text",
  upstream_request_id: "text",
  requested_model: "text",
  ...mapKeys(claimedColumns, () => "text"),
  cut: "jsonb",
  served_by: "text",
};

const INSERT_RECORDS = prepareOnce(
  "insert_usage_records",
  `INSERT INTO usage_record (${Object.keys(recordTypes).join(", ")})
  SELECT * FROM unnest(${columnParameters(recordTypes)})`,
);

type LabelsRow = UsageLabels & { id: bigint; attribution_id: bigint };

const labelTypes: ColumnTypes<LabelsRow> = {
  id: "bigint",
  attribution_id: "bigint",
  organization_id: "uuid",
  ...mapKeys([...eventLabels, ...attributionColumns], () => "text"),
};

const labelTexts = ["organization_id", ...eventLabels, ...attributionColumns];

/** Finds stored labels by their ids. */
const COMPARE_LABELS = prepareOnce(
  "compare_usage_labels",
  `SELECT place, (${labelTexts.map((column) => `stored.${column}`).join(", ")})
      = (${labelTexts.map((column) => `wanted.${column}`).join(", ")}) AS "isSame"
  FROM unnest(${columnParameters(labelTypes)}) WITH ORDINALITY AS wanted (${Object.keys(labelTypes).join(", ")}, place)
  JOIN usage_labels AS stored USING (id)`,
);

const INSERT_LABELS = prepareOnce(
  "insert_usage_labels",
  `WITH wanted AS MATERIALIZED (
    SELECT * FROM unnest(${columnParameters(labelTypes)}) AS wanted (${Object.keys(labelTypes).join(", ")})
  ), attributions AS (
    INSERT INTO usage_attribution (id, organization_id, group_ids, tag_ids)
    SELECT DISTINCT attribution_id, organization_id, group_ids, tag_ids FROM wanted WHERE attribution_id <> 0 ORDER BY 1
    ON CONFLICT DO NOTHING
  )
  INSERT INTO usage_labels (${Object.keys(labelTypes).join(", ")})
  SELECT * FROM wanted ON CONFLICT DO NOTHING RETURNING id`,
);

/** Two of 2^64 ids are equal by chance. More attempts are needed only if other nodes store the same labels meanwhile. */
const MAX_ATTEMPTS = 5;

/**
 * Appends one record for each request. Throws if a request is already there: each is recorded once. Returns the texts of the
 * requests. `refs`: texts that `storeTexts` returned for these requests. Null: all texts are stored again.
 */
export async function insertUsageEvents(
  tx: Tx,
  ended: EndedRequests,
  refs: readonly EventRefs[] | null = null,
): Promise<readonly EventRefs[]> {
  if (ended.records.length === 0) return [];
  const found = refs ?? (await findTexts(ended, new UsageDictionary()));
  await storeMissing(tx, found);
  await tx.executeQuery(CompiledQuery.raw(INSERT_RECORDS, await formatRecords(ended, found)));
  return found;
}

/** Formats requests, in slices: one text for each column. `refs` has the texts of each request. */
export function formatRecords(
  { records, nodeId }: EndedRequests,
  refs: readonly EventRefs[],
): Promise<string[]> {
  return columnTextsInSlices(recordTypes, records, (record, index) =>
    toUsageRecord(toUsageEvent(record, nodeId), refs[index] as EventRefs),
  );
}

/** Stores texts of the requests that may be missing. Returns the references of each request. */
export async function storeTexts(
  db: Database | Tx,
  ended: EndedRequests,
  dictionary: UsageDictionary,
): Promise<EventRefs[]> {
  const refs = await findTexts(ended, dictionary);
  await storeMissing(db, refs);
  return refs;
}

function findTexts(
  { records, nodeId }: EndedRequests,
  dictionary: UsageDictionary,
): Promise<EventRefs[]> {
  return mapInSlices(records, (record) => dictionary.findRefs(toUsageTexts(record, nodeId)));
}

async function storeMissing(db: Database | Tx, refs: readonly EventRefs[]): Promise<void> {
  const { labels, prices, nodes } = listMissing(refs);
  await storeLabels(db, labels);
  if (prices.length > 0) {
    await sql`INSERT INTO usage_prices (id, prices)
      SELECT * FROM unnest(${idsOf(prices)}::bigint[], ${valuesOf(prices)}::jsonb[]) ON CONFLICT DO NOTHING`.execute(
      db,
    );
  }
  if (nodes.length > 0) {
    await sql`INSERT INTO usage_node (id, node_id)
      SELECT * FROM unnest(${idsOf(nodes)}::bigint[], ${valuesOf(nodes)}::text[]) ON CONFLICT DO NOTHING`.execute(
      db,
    );
  }
}

/** Stores labels that are missing. Labels whose id belongs to other labels get the next id. */
async function storeLabels(db: Database | Tx, entries: readonly LabelsEntry[]): Promise<void> {
  let unknown = entries;
  for (let attempt = 0; unknown.length > 0; attempt++) {
    assert(attempt < MAX_ATTEMPTS, "labels have a free id");
    const stored = await compareLabels(db, unknown);
    for (const [entry, isSame] of stored) if (!isSame) changeId(entry);
    unknown = unknown.filter((entry) => stored.get(entry) !== true);
    const inserted = await insertLabels(db, unknown);
    unknown = unknown.filter((entry) => !inserted.has(entry));
  }
}

/** Returns entries whose id is stored. True: for the same labels. */
async function compareLabels(
  db: Database | Tx,
  entries: readonly LabelsEntry[],
): Promise<Map<LabelsEntry, boolean>> {
  const { rows } = await db.executeQuery<{ place: bigint; isSame: boolean }>(
    CompiledQuery.raw(COMPARE_LABELS, columnTexts(labelTypes, entries.map(toLabelsRow))),
  );
  return new Map(
    rows.flatMap(({ place, isSame }) => {
      const entry = entries[Number(place) - 1];
      return entry === undefined ? [] : [[entry, isSame]];
    }),
  );
}

/** Inserts labels whose ids are free, and returns them. If several labels have one id, the first is inserted. */
async function insertLabels(
  db: Database | Tx,
  entries: readonly LabelsEntry[],
): Promise<Set<LabelsEntry>> {
  if (entries.length === 0) return new Set();
  const byId = new Map(entries.toReversed().map((entry) => [entry.id, entry]));
  const firsts = [...byId.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  const { rows } = await db.executeQuery<{ id: bigint }>(
    CompiledQuery.raw(INSERT_LABELS, columnTexts(labelTypes, firsts.map(toLabelsRow))),
  );
  return new Set(rows.flatMap(({ id }) => byId.get(id) ?? []));
}

type LabelsEntry = Entry<UsageLabels>;

function toLabelsRow({ id, value }: LabelsEntry): LabelsRow {
  return { id, attribution_id: hashAttribution(value), ...value };
}

function idsOf(entries: readonly Entry<string>[]): string[] {
  return entries.map(({ id }) => String(id));
}

function valuesOf(entries: readonly Entry<string>[]): string[] {
  return entries.map(({ value }) => value);
}

/** Lists the ids of these requests that are recorded, also by an older version in usage_event. */
export async function listRecordedRequests(
  db: Database | Tx,
  requests: readonly { requestId: string; startedAtMs: number }[],
): Promise<Set<string>> {
  if (requests.length === 0) return new Set();
  const asked = sql`unnest(${requests.map((request) => new Date(request.startedAtMs))}::timestamptz[],
      ${requests.map((request) => request.requestId)}::text[]) AS asked (started_at, request_id)`;
  const { rows } = await sql<{ request_id: string }>`
    SELECT request_id FROM ${asked} JOIN usage_record USING (started_at, request_id)
    UNION ALL
    SELECT request_id FROM ${asked} JOIN usage_event USING (started_at, request_id)`.execute(db);
  return new Set(rows.map((row) => row.request_id));
}

/** Lists model names in the reports of the last 31 days, which count towards the cap of reported names. */
export async function listReportedModels(db: Database | Tx): Promise<string[]> {
  // Hours that are closed between the two statements are in both.
  const { hourMs } = await findRollupProgress(db);
  const openFrom = Number.isFinite(hourMs) ? new Date(hourMs) : "infinity";
  const { rows } = await sql<{ model: string }>`
    SELECT model FROM usage_organization_day WHERE bucket_at >= now() - interval '31 days'
    UNION
    SELECT model FROM organization CROSS JOIN LATERAL (SELECT model FROM usage_hour
      WHERE organization_id = organization.id AND bucket_at >= ${openFrom}) AS open
    ORDER BY model`.execute(db);
  return rows.map((row) => row.model);
}
