import { sql } from "kysely";
import { expect } from "vitest";
import { newId } from "#src/lib/ids.ts";
import { serverTest as base } from "#test/harness/admin-test.ts";
import { endRecord, recordUsage } from "#test/harness/usage-records.ts";

const USAGE = "/v1/admin/usage";
const DAY = Date.UTC(2026, 9, 17);

interface Report {
  totals: { requests: number };
  data: unknown[];
}

/** One request in October and one in November, of one key. Hours go until 10 November, days until 1 November. */
const test = base
  .extend("org", { scope: "file" }, ({ h }) => h.organization())
  .extend("report", { scope: "file" }, async ({ h, org }) => {
    const { id: workspaceId } = await org.admin.createWorkspace();
    const { id: apiKeyId } = await org.admin.createApiKey(workspaceId);
    await recordUsage(
      h.deps.database,
      [DAY, Date.UTC(2026, 10, 5)].map((startedAtMs) =>
        endRecord({
          requestId: newId("req_", startedAtMs),
          organizationId: org.id,
          workspaceId,
          apiKeyId,
          startedAtMs,
        }),
      ),
    );
    for (const table of [
      "usage_organization_day",
      "usage_workspace_day",
      "usage_day",
      "usage_key_day",
    ]) {
      await sql`DELETE FROM ${sql.table(table)} WHERE bucket_at < '2026-11-01T00:00:00Z'`.execute(
        h.deps.database,
      );
    }
    await sql`UPDATE retention_mark SET hours_before = '2026-11-10T00:00:00Z', days_before = '2026-11-01T00:00:00Z'`.execute(
      h.deps.database,
    );
    return (range: string, query = "") => {
      const [from, to] = range.split("/");
      return org.admin.get<Report>(`${USAGE}?starting_at=${from}&ending_at=${to}${query}`);
    };
  });

test.for([
  ["2026-10-01T00:00:00Z/2026-11-01T00:00:00Z", 1],
  ["2026-10-01T00:00:00Z/2026-11-12T10:00:00Z", 2],
  ["2026-11-01T00:00:00Z/2026-11-12T00:00:00Z", 1],
] as const)(
  "%s has all its requests, from months and from days",
  async ([range, requests], { report }) => {
    for (const query of [
      "",
      "&group_by=workspace",
      "&group_by=model,status",
      "&group_by=api_key",
    ]) {
      const { status, body } = await report(range, `&bucket=none${query}`);
      expect([query, status, body.totals.requests]).toEqual([query, 200, requests]);
    }
  },
);

test.for([
  [
    "2026-11-09T10:00:00Z/2026-11-12T00:00:00Z",
    "&bucket=none",
    "usage by hour before 2026-11-10T00:00:00.000Z",
  ],
  ["2026-11-09T00:00:00Z/2026-11-12T00:00:00Z", "&bucket=1h", "Use bucket 1d."],
  [
    "2026-10-31T00:00:00Z/2026-11-12T00:00:00Z",
    "&bucket=none",
    "usage by day before 2026-11-01T00:00:00.000Z",
  ],
  ["2026-10-01T00:00:00Z/2026-11-12T00:00:00Z", "&bucket=1d", "Use bucket none and whole months."],
] as const)(
  "%s%s is refused, since its sums were deleted",
  async ([range, query, text], { report }) => {
    const { status, error } = await report(range, query);
    expect([status, error.message]).toEqual([400, expect.stringContaining(text)]);
  },
);

test("a day of the Claude Code report is refused once its sums were deleted", async ({
  org,
  report,
}) => {
  await report("2026-11-01T00:00:00Z/2026-11-12T00:00:00Z");
  const read = (day: string) =>
    org.admin.get(`/v1/organizations/usage_report/claude_code?starting_at=${day}`);
  expect((await read("2026-11-05")).status).toBe(200);
  const { status, error } = await read("2026-10-17");
  expect([status, error.message]).toEqual([
    400,
    expect.stringContaining("usage by day before 2026-11-01T00:00:00.000Z was deleted"),
  ]);
});

test("an export of deleted days is refused before its first line", async ({ org, report }) => {
  const range = "starting_at=2026-10-01T00:00:00Z&ending_at=2026-11-12T00:00:00Z";
  await report("2026-11-01T00:00:00Z/2026-11-12T00:00:00Z");
  for (const path of [`${USAGE}/export`, "/v1/admin/cost/export"]) {
    const answer = await org.admin.get(`${path}?${range}&bucket=1d`);
    expect([path, answer.status, answer.error?.type]).toEqual([path, 400, "invalid_request_error"]);
    expect(answer.error?.message).toContain("starting_at: usage by day before");
  }
});
