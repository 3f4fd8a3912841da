import { get } from "node:http";
import { sql } from "kysely";
import { expect } from "vitest";
import { serverTest as base } from "#test/harness/admin-test.ts";
import { measureLiveBytes } from "#test/harness/live-bytes.ts";
import { endRecord, recordUsage } from "#test/harness/usage-records.ts";

// Exports of reports that are larger than the allowed memory, over a real connection. `server/test/large-export.test.ts` has
// the export of the request log, and `hang-up.test.ts` clients that disconnect.

const DAY = Date.UTC(2026, 10, 18);
const ROWS = 30_000;
const MEBIBYTE = 1024 ** 2;
/** Bytes between two measurements. Each of them runs the garbage collection. */
const MEASURE_EVERY_BYTES = 4 * MEBIBYTE;

const test = base
  .extend("org", { scope: "file" }, ({ h }) => h.organization())
  /** Reads the response to its end. */
  .extend(
    "download",
    ({ org }) =>
      (path: string): Promise<Download> =>
        new Promise((resolve, reject) => {
          const before = measureLiveBytes();
          const result: Download = { lines: 0, bytes: 0, grownBytes: 0 };
          const request = get(
            `${origin}${path}`,
            { headers: { "x-api-key": org.adminKey } },
            (answer) => {
              answer.on("data", (piece: Buffer) => {
                const sinceMeasured = result.bytes % MEASURE_EVERY_BYTES;
                const isMeasured = sinceMeasured + piece.length >= MEASURE_EVERY_BYTES;
                result.bytes += piece.length;
                for (const byte of piece) if (byte === 10) result.lines++;
                if (isMeasured)
                  result.grownBytes = Math.max(result.grownBytes, measureLiveBytes() - before);
              });
              answer.on("end", () => resolve(result));
              answer.on("error", reject);
            },
          );
          request.on("error", reject);
        }),
  );

let origin: string;

test.beforeAll(async ({ h, org }) => {
  const { id: workspaceId } = await org.admin.createWorkspace();
  const { id: apiKeyId } = await org.admin.createApiKey(workspaceId);
  const one = { requestId: "req_first", organizationId: org.id, workspaceId, apiKeyId };
  await recordUsage(h.deps.database, [endRecord({ ...one, startedAtMs: DAY })]);
  // One row of the report for each model: far more than one page.
  await sql`INSERT INTO usage_hour SELECT added.* FROM usage_hour u,
      generate_series(1, ${ROWS - 1}::int) AS i,
      jsonb_populate_record(u, jsonb_build_object('model', 'model-' || i)) AS added`.execute(
    h.deps.database,
  );
  origin = await h.app.listen({ host: "127.0.0.1", port: 0 });
}, 120_000);

interface Download {
  lines: number;
  bytes: number;
  /** Maximum growth of the used memory, bytes. */
  grownBytes: number;
}

const range = "starting_at=2026-11-18T00:00:00Z&ending_at=2026-11-19T00:00:00Z";

test.for([
  [
    "usage",
    `/v1/admin/usage/export?format=jsonl&bucket=1h&group_by=model,api_key&${range}`,
    ROWS,
    0,
  ],
  [
    "cost",
    `/v1/admin/cost/export?format=csv&bucket=1h&group_by=model,api_key,token_type&${range}`,
    5 * ROWS,
    1,
  ],
] as const)(
  "%s: returns every line once in bounded memory",
  { timeout: 120_000 },
  async ([_, path, lines, heading], { download }) => {
    const found = await download(path);
    expect(found.lines).toBe(lines + heading);
    expect(found.bytes).toBeGreaterThan(8 * MEBIBYTE);
    // Twice the measured memory: rows and text of some pages. The rows of the whole file are larger.
    expect(found.grownBytes).toBeLessThan(40 * MEBIBYTE);
  },
);
