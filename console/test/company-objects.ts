import type { ServerProcess } from "../../server/test/harness/server-process.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Stores message batches and files of a workspace, as rows. No upstream has them. */
export async function addStoredObjects(
  server: ServerProcess,
  of: { workspaceId: string; apiKeyId: string },
): Promise<void> {
  const [organization] = await server.sql<{ id: string }>("SELECT id FROM organization");
  const owner = [organization?.id ?? "", of.workspaceId, of.apiKeyId];
  const nowMs = Date.now();
  for (const batch of batches) await server.sql(INSERT_BATCH, [...owner, ...toBatch(batch, nowMs)]);
  for (const object of objects) {
    await server.sql(INSERT_OBJECT, [...owner, ...toObject(object, nowMs)]);
  }
}

/** Stores an upstream at Anthropic and one at a cloud platform, for pictures. Requests would no longer be simulated. */
export async function addUpstreams(server: ServerProcess): Promise<void> {
  const create = (fields: object) => server.mustOperator("POST", "/v1/admin/upstreams", fields);
  const credential = "sk-ant-api03-a-credential-that-no-upstream-has";
  await create({ name: "Claude API", base_url: "https://api.anthropic.com", credential });
  await create({
    name: "Amazon Bedrock",
    provider_settings: { provider: "bedrock", region: "us-east-1", authentication: "api_key" },
    credential: "a-key-of-bedrock-that-does-not-exist",
  });
}

interface Batch {
  /** Last character of its ids. */
  mark: string;
  state: "running" | "metered" | "refused";
  status: "in_progress" | "canceling" | "ended";
  ageMs: number;
  lines: number;
  succeeded: number;
  errored: number;
  holdNanoUsd: number;
  costNanoUsd: number;
}

const batches: readonly Batch[] = [
  {
    ...{ mark: "A", state: "running", status: "in_progress", ageMs: 2 * HOUR_MS },
    ...{ lines: 4_200, succeeded: 1_310, errored: 0, holdNanoUsd: 63_000_000_000, costNanoUsd: 0 },
  },
  {
    ...{ mark: "B", state: "running", status: "canceling", ageMs: 5 * HOUR_MS },
    ...{ lines: 250, succeeded: 31, errored: 2, holdNanoUsd: 3_100_000_000, costNanoUsd: 0 },
  },
  {
    ...{ mark: "C", state: "refused", status: "in_progress", ageMs: 2 * DAY_MS },
    ...{ lines: 40, succeeded: 0, errored: 0, holdNanoUsd: 480_000_000, costNanoUsd: 0 },
  },
  {
    ...{ mark: "D", state: "metered", status: "ended", ageMs: 3 * DAY_MS, lines: 10_000 },
    ...{ succeeded: 9_988, errored: 12, holdNanoUsd: 140_000_000_000, costNanoUsd: 38_412_907_500 },
  },
];

const INSERT_BATCH = `
  INSERT INTO message_batch (organization_id, workspace_id, api_key_id, id, client, upstream_id, is_simulated,
    upstream_batch_id, state, node_id, line_count, hold_nano_usd, started_at, sent_at, metered_lines, cost_nano_usd,
    last_object, expires_at, ended_at)
  VALUES ($1, $2, $3, $4, 'python', 'simulator', true, $5, $6, 'node_example', $7, $8, $9, $9, $10, $11, $12, $13, $14)`;

/** Values after the owner. A batch that is never due is asked for at no upstream. */
function toBatch(batch: Batch, nowMs: number): unknown[] {
  const { mark, state, status, lines, succeeded, errored } = batch;
  const startedMs = nowMs - batch.ageMs;
  const isEnded = status === "ended";
  const processing = isEnded ? 0 : lines - succeeded - errored;
  const request_counts = { processing, succeeded, errored, canceled: 0, expired: 0 };
  return [
    `req_0VbV0000000000000000000${mark}`,
    state === "refused" ? null : `msgbatch_0VbV0000000000000000000${mark}`,
    state,
    lines,
    batch.holdNanoUsd,
    new Date(startedMs),
    isEnded ? lines : 0,
    batch.costNanoUsd,
    state === "refused" ? null : { processing_status: status, request_counts },
    new Date(startedMs + DAY_MS),
    isEnded ? new Date(startedMs + HOUR_MS) : null,
  ];
}

interface StoredObject {
  kind: "file" | "skill" | "container" | "thread";
  mark: string;
  ageMs: number;
  description: object | null;
}

const objects: readonly StoredObject[] = [
  {
    ...{ kind: "file", mark: "A", ageMs: HOUR_MS },
    description: { filename: "invoices.csv", mime_type: "text/csv", size_bytes: 48_213 },
  },
  {
    ...{ kind: "file", mark: "B", ageMs: 3 * DAY_MS },
    description: {
      filename: "Annual report of the company with all appendices.pdf",
      mime_type: "application/pdf",
      size_bytes: 18_402_551,
    },
  },
  { kind: "file", mark: "C", ageMs: 5 * DAY_MS, description: null },
  {
    ...{ kind: "skill", mark: "D", ageMs: 4 * DAY_MS },
    description: { display_name: "Invoice checks", latest_version_id: "3" },
  },
  { kind: "container", mark: "E", ageMs: HOUR_MS / 2, description: null },
];

const INSERT_OBJECT = `
  INSERT INTO upstream_object (organization_id, workspace_id, api_key_id, upstream_id, kind, id, created_at, expires_at,
    description)
  VALUES ($1, $2, $3, 'simulator', $4, $5, $6, $7, $8)`;

function toObject({ kind, mark, ageMs, description }: StoredObject, nowMs: number): unknown[] {
  const createdMs = nowMs - ageMs;
  const expiresAt = kind === "container" ? new Date(nowMs + DAY_MS) : null;
  const id = `${kind}_0VbV0000000000000000000${mark}`;
  return [kind, id, new Date(createdMs), expiresAt, description];
}
