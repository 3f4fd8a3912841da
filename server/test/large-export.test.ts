import { expect } from "vitest";
import { fillRequestLog } from "./harness/fill-request-log.ts";
import { abortLargeExport, readLargeExport } from "./harness/large-export.ts";
import { test } from "./harness/product-test.ts";

// `npm run soak -- export` runs the same test with a million requests.

const REQUESTS = 30_000;
const MEBIBYTE = 1024 ** 2;
/** The heap grows by 90 MiB with any export. The rest allows 1.5 kB for each request. */
const MAX_GROWTH_BYTES = 135 * MEBIBYTE;
let costNanoUsd: bigint;

test.beforeAll(async ({ server }) => {
  costNanoUsd = await fillRequestLog(server, await server.workspaceWithKey(), REQUESTS);
}, 240_000);

test.for(["csv", "jsonl"] as const)(
  "a %s export of 30,000 requests has each once, sums to the nano-dollar and uses bounded memory",
  { timeout: 240_000 },
  async (format, { server }) => {
    const found = await readLargeExport(server, format);
    expect(found.rows).toBe(REQUESTS);
    expect(found.costNanoUsd).toBe(costNanoUsd);
    expect(found.rssPeak - found.rssBefore).toBeLessThan(MAX_GROWTH_BYTES);
  },
);

test("an aborted export leaves no session in the database", async ({ server }) => {
  for (let i = 0; i < 3; i++) await abortLargeExport(server);
  expect((await server.admin("GET", "/v1/admin/requests?limit=1")).status).toBe(200);
}, 120_000);
