import { addJob } from "../../server/src/db/job-queue.ts";
import { type Database, openDatabase } from "../../server/src/db/pool.ts";
import { inTransaction } from "../../server/src/db/transaction.ts";
import { findEmbeddedDatabase } from "../../server/test/harness/embedded-database.ts";
import { eventually } from "../../server/test/harness/eventually.ts";
import { makeRefusal, recordRefusals } from "../../server/test/harness/refusals.ts";
import { type ServerProcess, textField } from "../../server/test/harness/server-process.ts";
import { createInviteLink, owner, postForCookie, setUpLinkOf } from "./company.ts";
import { type FullKey, recordUsage, startOfMonth } from "./full-usage.ts";

// A company in which everything that the overview names is wrong at once. A workspace is blocked, and others will be soon.
// Dozens of alerts are open, channels and upstreams fail, keys expire, and requests are refused. Some cost is simulated.

export interface FullCompany {
  server: ServerProcess;
  /** Session of the owner as a cookie, `name=value`. */
  session: string;
  /** Names of the workspaces whose monthly limit is used to these shares, the blocked one first. */
  limited: readonly (readonly [workspace: string, share: number])[];
}

/** Names of ten workspaces beside the default one, each with its part of the usage. */
const workspaces = [
  ["Engineering", 3],
  ["Customer support", 2],
  ["Research", 1.6],
  ["Marketing", 0.8],
  ["Finance", 0.5],
  ["Legal", 0.4],
  ["Data platform", 1.4],
  ["Mobile", 0.9],
  ["Operations", 0.7],
  ["Sandbox", 0.6],
] as const;
/** Its requests are answered by the simulator. */
const SIMULATED = "Sandbox";

/** Used shares of monthly limits: one blocks, four are above 90 %. */
const limited = [
  ["Customer support", 1.02],
  ["Engineering", 0.985],
  ["Research", 0.96],
  ["Data platform", 0.94],
  ["Mobile", 0.915],
] as const;

const KEYS = 45;
const EXPIRING_KEYS = 5;
const people = [
  ...["Anita Borg", "Karen Jones", "Donald Knuth", "Dorothy Vaughan", "Edsger Dijkstra"],
  ...["Frances Allen", "Ida Rhodes", "Jean Bartik", "John Backus", "Kathleen Booth"],
  ...["Leslie Lamport", "Mary Jackson", "Niklaus Wirth", "Tony Hoare"],
] as const;
const OPEN_ALERTS = 50;
const WEBHOOK_FAILURES = 72;
const WAIT_MS = 60_000;
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** Creates the company on a server without an owner. */
export async function createFullCompany(server: ServerProcess): Promise<FullCompany> {
  const { hash } = new URL(setUpLinkOf(server));
  const session = await postForCookie(server, "/v1/admin/setup", {
    token: hash.slice("#token=".length),
    organization_name: "Northwind Robotics",
    ...owner,
  });
  await fillCompany(server);
  return { server, session, limited };
}

/** Adds everything to a company, which may have some of the workspaces already. */
export async function fillCompany(server: ServerProcess): Promise<void> {
  const places = await createWorkspaces(server);
  const keys = await createKeys(server, places);
  const database = openEmbedded(server);
  try {
    const [organization] = await server.sql<{ id: string }>("SELECT id FROM organization");
    const of = { organizationId: organization?.id ?? "", nowMs: Date.now() };
    await recordUsage(database, keys, of);
    await waitForFold(server);
    await addRefusals(database, keys, of);
    await setLastUse(server, keys);
    await setLimits(server, places);
    await addAlerts(server);
    await addChannels(server);
    await addDecisions(server, places);
    await invitePeople(server, places);
    for (const task of ["evaluate_pace", "evaluate_request_alerts", "evaluate_key_alerts"]) {
      await inTransaction(database, (tx) =>
        addJob(tx, { task, payload: {}, key: task, maxAttempts: 3 }),
      );
    }
    await waitForAlerts(server);
  } finally {
    await database.destroy();
  }
}

function openEmbedded({ dataDir }: ServerProcess): Database {
  const { host = "", port, user, database } = findEmbeddedDatabase(dataDir);
  return openDatabase({
    connectionString: `postgres://${user}@${encodeURIComponent(host)}:${port}/${database}`,
    maxConnections: 2,
    onIdleError: () => undefined,
  });
}

type Places = ReadonlyMap<string, string>;

async function createWorkspaces(server: ServerProcess): Promise<Places> {
  const { data } = await server.mustAdmin("GET", "/v1/admin/workspaces?limit=100");
  const ids = new Map((data as { id: string; name: string }[]).map(({ id, name }) => [name, id]));
  for (const [name] of workspaces) {
    if (ids.has(name)) continue;
    const made = await server.mustAdmin("POST", "/v1/admin/workspaces", { name });
    ids.set(name, textField(made, "id"));
  }
  return ids;
}

/** The first key of some workspaces expires soon, each a few days after the one before. */
async function createKeys(server: ServerProcess, places: Places): Promise<FullKey[]> {
  const keys: FullKey[] = [];
  for (const [index, [place, weight]] of workspaces.entries()) {
    const workspace_id = places.get(place) ?? "";
    const count = Math.ceil((KEYS - index) / workspaces.length);
    const names = uses.slice(0, count).map((use) => `${place} ${use}`);
    const ids: string[] = [];
    if (index < EXPIRING_KEYS) {
      const made = await server.mustAdmin("POST", "/v1/admin/api_keys", {
        ...{ name: names.shift(), workspace_id },
        expires_at: new Date(Date.now() + (2 * index + 1.5) * DAY_MS).toISOString(),
      });
      ids.push(textField(made, "id"));
    }
    const path = "/v1/admin/api_keys/create";
    const { data } = await server.mustAdmin("POST", path, { workspace_id, names });
    ids.push(...(data as { id: string }[]).map(({ id }) => id));
    const isSimulated = place === SIMULATED;
    keys.push(...ids.map((id) => ({ id, workspaceId: workspace_id, weight, isSimulated })));
  }
  return keys;
}

/** Names of the keys of a workspace. */
const uses = ["production", "staging", "nightly jobs", "agents", "prototype"] as const;

/** Waits until the server has counted all appended requests. */
async function waitForFold(server: ServerProcess): Promise<void> {
  await eventually(WAIT_MS, "the requests to be counted", async () => {
    const batches = await server.sql("SELECT id FROM usage_batch");
    return batches.length === 0 ? true : null;
  });
}

/** Requests that were recorded here passed no gateway, which would have written the use of their keys. */
async function setLastUse(server: ServerProcess, keys: readonly FullKey[]): Promise<void> {
  await server.sql(
    `UPDATE api_key_secret SET last_used_at = now() - interval '2 minutes', last_used_address = '10.0.0.7'
     WHERE api_key_id = ANY($1)`,
    [keys.map(({ id }) => id)],
  );
}

const causes = [
  ["rate_limited", 429, 46],
  ["model_not_allowed", 403, 12],
  ["spend_limit_reached", 400, 31],
  ["invalid_fields", 400, 5],
  ["address_not_allowed", 403, 2],
] as const;

async function addRefusals(
  database: Database,
  keys: readonly FullKey[],
  { organizationId, nowMs }: { organizationId: string; nowMs: number },
): Promise<void> {
  const refusals = causes.flatMap(([errorCode, httpStatus, count]) =>
    Array.from({ length: count }, (_, index) => {
      const { id: apiKeyId, workspaceId } = keys[index % keys.length] ?? keys[0] ?? noKey;
      // All of them today, in UTC.
      const atMs = nowMs - Math.min(index * 1_000, nowMs % DAY_MS);
      return makeRefusal({ organizationId, workspaceId, apiKeyId, atMs, errorCode, httpStatus });
    }),
  );
  await recordRefusals(database, refusals);
}

const noKey = { id: "", workspaceId: "" };

/**
 * Sets limits by the spend of this month, so that the shares are the same on each day. Near the end of a month the shares of
 * limited workspaces are higher, so that the limits are still reached in it. Limits of the others are not reached in it.
 */
async function setLimits(server: ServerProcess, places: Places): Promise<void> {
  const shares = new Map<string, number>(limited);
  const leftOfMonth = findLeftOfMonth(new Date());
  for (const [name] of workspaces) {
    const workspace_id = places.get(name) ?? "";
    const spend = await server.mustAdmin(
      "GET",
      `/v1/admin/spend_limits/period_spend?workspace_id=${workspace_id}`,
    );
    const spent = Number(textField(spend, "spent_usd"));
    const share = shares.get(name);
    const rest =
      share === undefined
        ? Math.max(MIN_REST, 2 * leftOfMonth)
        : Math.min(1 / share - 1, leftOfMonth / 4);
    await setLimit(server, { type: "workspace", workspace_id }, spent * (1 + rest));
  }
  const company = await server.mustAdmin("GET", "/v1/admin/spend_limits/period_spend");
  const spent = Number(textField(company, "spent_usd"));
  const rest = Math.max(MIN_REST, 2 * leftOfMonth);
  await setLimit(server, { type: "organization" }, spent * (1 + rest));
}

/** Least rest of a limit that is not reached soon, as a part of its spend. */
const MIN_REST = 0.25;

/** Time until the next month as a part of the time since the first day, in UTC. */
function findLeftOfMonth(now: Date): number {
  const endMs = Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1);
  const passedMs = now.getTime() - startOfMonth(now.getTime());
  return (endMs - now.getTime()) / Math.max(MINUTE_MS, passedMs);
}

async function setLimit(server: ServerProcess, scope: object, limit: number): Promise<void> {
  const limit_usd = Math.max(0.01, Math.floor(limit * 100) / 100);
  const body = { scope, period: "monthly", limit_usd, enforcement: "soft" };
  await server.mustAdmin("POST", "/v1/admin/spend_limits", body);
}

/** Rules that fire once for each workspace and key. The rules of a new organization fire besides. */
async function addAlerts(server: ServerProcess): Promise<void> {
  const create = (name: string, condition: object, includes_below: boolean) =>
    server.mustAdmin("POST", "/v1/admin/alerts", {
      ...{ name, scope: { type: "organization" }, includes_below, condition, channel_ids: [] },
    });
  const thresholds = [{ amount_usd: 0.05, period: "monthly" }];
  await create("Every spender", { kind: "spend_limit", thresholds }, true);
  await create("Refused requests", { kind: "refused_requests", count: 20, minutes: 60 }, false);
}

/** A webhook that has failed many times, and a Slack channel that works. */
async function addChannels(server: ServerProcess): Promise<void> {
  const create = async (name: string, target: object) => {
    const made = await server.mustAdmin("POST", "/v1/admin/alert_channels", { name, target });
    return textField(made, "id");
  };
  const id = await create("On call", { kind: "webhook", url: "https://hooks.example.com/bursar" });
  await create("Platform", { kind: "slack", url: "https://hooks.slack.com/services/T0/B0/secret" });
  await server.sql(
    `UPDATE alert_channel SET failures_in_a_row = $2, failing_since = now() - interval '9 hours', paused_at = now(),
       pause_reason = 'The receiver answered with the status 503.' WHERE id = $1`,
    [id, WEBHOOK_FAILURES],
  );
}

/** A request for a higher limit, and an access review of the owner. */
async function addDecisions(server: ServerProcess, places: Places): Promise<void> {
  const workspace_id = places.get("Customer support") ?? "";
  await server.mustAdmin("POST", "/v1/admin/spend_limit_increase_requests", {
    scope: { type: "workspace", workspace_id },
    amount_usd: 100_000,
    reason: "The winter sale doubles the number of questions.",
  });
  const [person] = await server.sql<{ id: string }>("SELECT id FROM member WHERE email = $1", [
    owner.email,
  ]);
  await server.mustAdmin("POST", "/v1/admin/access_reviews", {
    name: "Quarterly review",
    scope: { paths: ["organization_role", "workspace_role", "workspace_key", "admin_key"] },
    reviewer_ids: [person?.id],
    due_at: new Date(Date.now() + 2 * DAY_MS).toISOString(),
    if_no_answer: "keep",
  });
}

async function invitePeople(server: ServerProcess, places: Places): Promise<void> {
  const roles = ["admin", "billing", "developer"] as const;
  const ids = [...places.values()];
  for (const [index, name] of people.entries()) {
    const role = roles[index] ?? "developer";
    const workspace = {
      workspace_id: ids[index % ids.length],
      workspace_role: "workspace_developer",
    };
    const email = `${name.split(" ")[0]?.toLowerCase()}@northwind.example`;
    const link = await createInviteLink(server, {
      ...{ emails: [email], role, workspaces: role === "developer" ? [workspace] : [] },
    });
    await postForCookie(server, "/v1/admin/invites/accept", {
      ...{ token: link.split("#token=")[1], name, password: owner.password },
    });
  }
}

/** Waits until the limits are evaluated: dozens of alerts, of each cause at least one. */
async function waitForAlerts(server: ServerProcess): Promise<void> {
  const kinds = ["spend_limit", "key_expiring", "upstream_errors", "refused_requests"];
  await eventually(WAIT_MS, "the alerts", async () => {
    const query = "is_acknowledged=false&is_over=false&is_superseded=false&limit=200";
    const { data } = await server.mustAdmin("GET", `/v1/admin/alert_firings?${query}`);
    const firings = data as { kind: string }[];
    const found = new Set(firings.map(({ kind }) => kind));
    const isComplete = kinds.every((kind) => found.has(kind));
    return isComplete && firings.length >= OPEN_ALERTS ? true : null;
  });
}
