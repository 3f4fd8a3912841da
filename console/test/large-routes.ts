import { readFileSync } from "node:fs";
import type { ServerProcess } from "../../server/test/harness/server-process.ts";

// Measures routes of the very large company over HTTP, and prints one table.

/** Measured calls of each route, after one that is not measured. */
const RUNS = 20;
/** Keys whose trends the console reads at once. */
const TREND_KEYS = 100;
const MEMORY_PAUSE_MS = 100;

type Route = [what: string, path: string, body?: object];

/** Prints the time of each list route, of changes of 500 keys, and of exports with the memory of the server. */
export async function measureRoutes(server: ServerProcess): Promise<void> {
  print(["route", "rows", "median, ms", "p95, ms", "kB"]);
  print(["---", "---", "---", "---", "---"]);
  for (const route of await listRoutes(server)) await measureRoute(server, route);
  await measureManyKeys(server);
  const month = new Date().toISOString().slice(0, 7);
  for (const [what, path] of [
    ["export of all grants", "/v1/admin/access/export"],
    ["export of the statement", `/v1/admin/statements/${month}/export`],
    ["export of tags of keys", "/v1/admin/tags/export"],
  ] as const) {
    await measureExport(server, what, path);
  }
}

async function listRoutes(server: ServerProcess): Promise<Route[]> {
  const { data } = await server.mustAdmin("GET", `/v1/admin/api_keys?limit=${TREND_KEYS}&name=Key`);
  const ids = (data as { id: string }[]).map(({ id }) => id).join(",");
  const month = new Date().toISOString().slice(0, 7);
  const statement = `/v1/admin/statements/${month}`;
  const organization = { scope: { type: "organization" }, includes_below: true };
  const preview = (condition: object) => ({ ...organization, condition });
  return [
    ["keys", "/v1/admin/api_keys?limit=1000"],
    ["keys that need attention", "/v1/admin/api_keys?limit=1000&needs_attention=true"],
    ["key hygiene", "/v1/admin/key_hygiene"],
    [`trends of ${TREND_KEYS} keys`, `/v1/admin/api_keys/trends?api_key_ids=${ids}`],
    ["workspaces", "/v1/admin/workspaces?limit=1000"],
    ["members", "/v1/admin/members?limit=1000&omit_workspaces=true"],
    ["members with 35,000 roles", "/v1/admin/members?limit=1000"],
    ["members of the official list", "/v1/organizations/users?limit=1000"],
    ["grants", "/v1/admin/access?limit=200"],
    ["grants after 30,000", await findDeepPage(server, "/v1/admin/access?limit=1000", 30)],
    ["grants, unused for 30 days", "/v1/admin/access?limit=200&unused_days=30"],
    ["grants of a search", "/v1/admin/access?limit=200&search=Person%20499"],
    ["grants of a search without a match", "/v1/admin/access?limit=200&search=nothing"],
    ["spend limits", "/v1/admin/spend_limits?limit=1000"],
    ["limits that block soon", "/v1/admin/spend_limits/forecasts"],
    ["limits that block now", "/v1/admin/spend_limits/blocking?limit=20"],
    ["badges", "/v1/admin/badges"],
    ["counts", "/v1/admin/organization/counts"],
    ["health of the upstream", "/v1/admin/upstreams/health"],
    ["alert groups", "/v1/admin/alert_groups"],
    ["audit events", "/v1/admin/audit_events?limit=50"],
    ["statements", "/v1/admin/statements"],
    ["an open statement", statement],
    ["its cost centres", `${statement}/rows?group_by=cost_center`],
    ["its keys", `${statement}/rows?group_by=api_key&limit=1000`],
    [
      "preview of unusual spend",
      "/v1/admin/alerts/preview",
      preview({ kind: "unusual_spend", factor: 4, min_usd: 1 }),
    ],
    [
      "preview of a forecast",
      "/v1/admin/alerts/preview",
      preview({ kind: "forecast", percent: 100 }),
    ],
    [
      "preview of a spend limit",
      "/v1/admin/alerts/preview",
      preview({ kind: "spend_limit", thresholds: [{ percent: 80 }] }),
    ],
  ];
}

async function measureRoute(server: ServerProcess, [what, path, body]: Route): Promise<void> {
  const times: number[] = [];
  let answer = await call(server, path, body);
  for (let run = 0; run < RUNS; run += 1) {
    const startedAt = performance.now();
    answer = await call(server, path, body);
    times.push(performance.now() - startedAt);
  }
  times.sort((a, b) => a - b);
  const at = (part: number) => Math.round(times[Math.ceil(part * RUNS) - 1] ?? 0);
  const rows = answer.json?.["data"];
  const count = Array.isArray(rows) ? rows.length : "";
  print([what, count, at(0.5), at(0.95), toKilobytes(answer.text.length)]);
}

async function call(server: ServerProcess, path: string, body?: object) {
  const answer = await server.admin(body === undefined ? "GET" : "POST", path, body);
  if (answer.status !== 200)
    throw new Error(`${path.slice(0, 100)}: ${answer.status} ${answer.text}`);
  return answer;
}

/** Creates, disables and archives 500 keys, once each. */
async function measureManyKeys(server: ServerProcess): Promise<void> {
  const measureOnce = async (what: string, path: string, body: object) => {
    const startedAt = performance.now();
    const answer = await call(server, path, body);
    const took = Math.round(performance.now() - startedAt);
    print([what, 500, took, "", toKilobytes(answer.text.length)]);
    return answer;
  };
  const workspace_id = `wksp_large${"1".padStart(20, "0")}`;
  const fields = { workspace_id, name_prefix: "many-", count: 500 };
  const created = await measureOnce("create keys", "/v1/admin/api_keys/create", fields);
  const made = (created.json?.["data"] ?? []) as { id: string }[];
  const ids = made.map(({ id }) => id);
  await measureOnce("disable keys", "/v1/admin/api_keys/disable", { ids });
  await measureOnce("archive keys", "/v1/admin/api_keys/archive", { ids });
}

/** Prints the time of a whole file, and the most memory that the server gained meanwhile. */
async function measureExport(server: ServerProcess, what: string, path: string): Promise<void> {
  const before = readMemoryMb(server);
  let most = before;
  const timer = setInterval(() => {
    most = Math.max(most, readMemoryMb(server));
  }, MEMORY_PAUSE_MS);
  const startedAt = performance.now();
  try {
    const { text } = await call(server, path);
    const took = Math.round(performance.now() - startedAt);
    const lines = text.split("\n").length - 2;
    const gained = `${what} (+${most - before} MB of memory, from ${before})`;
    print([gained, lines, took, "", toKilobytes(text.length)]);
  } finally {
    clearInterval(timer);
  }
}

/** Resident memory of the server process, megabytes. */
function readMemoryMb({ pid }: ServerProcess): number {
  const [, kilobytes] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Math.round(Number(kilobytes) / 1_024);
}

/** Path of a later page. */
async function findDeepPage(server: ServerProcess, path: string, pages: number): Promise<string> {
  let cursor = "";
  for (let page = 0; page < pages; page += 1) {
    const { next_page: next } = await server.mustAdmin("GET", `${path}${cursor}`);
    cursor = `&page=${String(next)}`;
  }
  return `${path}${cursor}`;
}

function toKilobytes(characters: number): number {
  return Math.round(characters / 1_000);
}

function print(cells: readonly (string | number)[]): void {
  process.stdout.write(`| ${cells.join(" | ")} |\n`);
}
