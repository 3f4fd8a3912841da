import { adminRoutes } from "@bursar/contract/routes.ts";
import { expect } from "vitest";
import { serverTest as base } from "#test/harness/admin-test.ts";

// CSV files of all routes that offer them, found in the contract. Spreadsheet programs must not evaluate names in
// them, because members choose the names.

/** The API refuses the last three. The database may contain them from other sources, and they must be safe too. */
const names = ["=1+1", "+1", "-1", "@SUM(A1)", "＝1+1", "\t=1", "\r=1", "\n=1"];
const formulaPattern = /^(?:[\t\r\n]|\s*[=+\-@＝＋－＠])/;
const range = "starting_at=2026-11-20T00:00:00Z&ending_at=2026-11-21T00:00:00Z";

const test = base
  .extend("org", { scope: "file" }, ({ h }) => h.organization())
  /** Creates a member, a workspace and a key of this name. Uses the key. */
  .extend("useKey", { scope: "file" }, ({ h, org }) => async (name: string): Promise<void> => {
    const { database } = h.deps;
    const { id: workspaceId } = await org.admin.createWorkspace();
    const workspaces = { [workspaceId]: "workspace_developer" } as const;
    const person = await org.member({ role: "developer", name, workspaces });
    const { id: apiKeyId } = await person.client.createApiKey(workspaceId);
    await database.updateTable("api_key").set({ name }).where("id", "=", apiKeyId).execute();
    await database.updateTable("workspace").set({ name }).where("id", "=", workspaceId).execute();
    await org.recordRequest({ workspaceId, apiKeyId, memberId: person.id });
  });

const pathOf: Record<string, string> = {
  exportUsage: `/v1/admin/usage/export?format=csv&group_by=workspace,api_key,member&${range}`,
  exportCost: `/v1/admin/cost/export?format=csv&group_by=workspace,api_key,member&${range}`,
  exportRequests: "/v1/admin/requests/export?format=csv",
  exportAccess: "/v1/admin/access/export?format=csv",
  exportAuditEvents: "/v1/admin/audit_events/export?format=csv",
  exportTags: "/v1/admin/tags/export",
  exportStatement: "/v1/admin/statements/2026-11/export?format=csv",
};

test.beforeAll(async ({ org, useKey }) => {
  for (const name of names) await useKey(name);
  const reviewer = await org.member({ role: "admin", name: "=REVIEWER" });
  const review = await org.admin.post<{ id: string }>("/v1/admin/access_reviews", {
    name: "=Review",
    scope: { paths: ["workspace_role", "member_key"] },
    reviewer_ids: [reviewer.id],
    due_at: "2026-12-20T00:00:00Z",
  });
  expect(review.status).toBe(200);
  pathOf["exportAccessReviewItems"] = `/v1/admin/access_reviews/${review.body.id}/items/export`;
});

const csvRoutes = adminRoutes.filter(
  (route) => "streams" in route && (route.streams as readonly string[]).includes("text/csv"),
);

test.for(csvRoutes.map(({ operationId }) => operationId))(
  "%s: contains every name and no formula",
  async (operationId, { org }) => {
    const { status, headers, text } = await org.admin.get(pathOf[operationId] ?? "not listed here");
    expect([status, headers["content-type"]]).toEqual([200, "text/csv; charset=utf-8"]);
    const [heading = [], ...lines] = readCsv(text);
    expect(lines.length).toBeGreaterThanOrEqual(names.length);
    for (const line of lines) expect(line.length).toBe(heading.length);
    const cells = lines.flat();
    expect(cells.filter((cell) => formulaPattern.test(cell))).toEqual([]);
    expect(cells).toEqual(expect.arrayContaining(names.map((name) => `'${name}`)));
  },
);

/** Parses by RFC 4180. A quoted cell may contain any text, with doubled quotes. */
function readCsv(text: string): string[][] {
  const cell = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/y;
  const lines: string[][] = [[]];
  while (cell.lastIndex < text.length) {
    const at = cell.lastIndex;
    const found = cell.exec(text);
    if (found === null) throw new Error(`no cell at ${at}: ${text.slice(at, at + 80)}`);
    const [, quoted, plain = "", end] = found;
    lines.at(-1)?.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === "\r\n" && cell.lastIndex < text.length) lines.push([]);
  }
  return lines;
}
