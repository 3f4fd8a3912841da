import type { FiringFacts } from "@bursar/contract/admin/alerts.ts";
import { listOtherFirings } from "#src/alerts/channels/other-firings.sql.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import { formatUsd } from "#src/domain/money.ts";
import { toWireScope } from "#src/domain/wire-scope.ts";
import { assert } from "#src/lib/assert.ts";
import { formatPlural } from "#src/lib/format-plural.ts";
import type { AlertMessage } from "./alert-message.ts";
import { describeFiring, describeSimulated, describeUnusedKeys } from "./alert-words.rule.ts";
import { compareFirings, severityOf } from "./compare-firings.ts";
import {
  type DigestKey,
  findNamedFirings,
  findOrganizationName,
  listDigestKeys,
  type NamedFiring,
  type ReportedFiring,
} from "./firing-message.sql.ts";
import { type CausedFiring, dropSameCause } from "./same-cause.rule.ts";
import { listSimulatedCosts } from "./simulated-cost.sql.ts";

interface DeliveryOfMessage {
  id: string;
  organization_id: string;
  /** Null: a test message. */
  alert_firing_id: string | null;
  created_at: Date;
}

/**
 * Returns the message with the current names and the facts of the firing. `reported`: firings that replace those of the
 * delivery.
 */
export async function makeMessage(
  deps: { database: Database | Tx; publicUrl: () => string },
  delivery: DeliveryOfMessage,
  channel: { id: string; name: string } | null,
  reported?: readonly ReportedFiring[],
): Promise<AlertMessage> {
  const { database } = deps;
  if (delivery.alert_firing_id === null) {
    const source = await findOrganizationName(database, delivery.organization_id);
    return makeTest(delivery, { channel, source, url: `${deps.publicUrl()}/alerts/channels` });
  }
  const own = reported ?? (await listReported(database, delivery, channel === null));
  const ids = own.map(({ id }) => id);
  const firings = [...(await findNamedFirings(database, ids)).values()].sort((a, b) => {
    const byRank = compareFirings(toDescribed(a), toDescribed(b));
    // A later firing of a cause has its current state.
    return byRank || b.fired_at.getTime() - a.fired_at.getTime() || (a.id < b.id ? -1 : 1);
  });
  // Two alerts with the same cause have one sentence.
  const [firing, ...others] = dropSameCause(firings, toCaused);
  assert(firing, "a message has a recorded firing");
  const simulated = await listSimulatedCosts(database, [firing, ...others].slice(0, MAX_LISTED));
  const place = { publicUrl: deps.publicUrl(), simulated };
  const message = nameAlerts(toMessage(delivery, firing, place), firings);
  if (firings.every(({ kind }) => kind === "key_unused")) {
    const keys = await listDigestKeys(database, own, MAX_LISTED);
    const days = findFewestDays(firings);
    return keys.count < 2
      ? message
      : toDigest(message, { ...keys, days, publicUrl: deps.publicUrl() });
  }
  if (others.length === 0) return message;
  return combineFirings(message, [firing, ...others], place);
}

interface MessagePlace {
  publicUrl: string;
  /** Simulated part of the spend by the id of the firing, nano-USD. */
  simulated: ReadonlyMap<string, bigint>;
}

/** Names all alerts of the message. `alerts` of a webhook has each with its firing. */
function nameAlerts(message: AlertMessage, firings: readonly NamedFiring[]): AlertMessage {
  const alerts = firings.map((each) => {
    return { id: each.alert_id, name: each.alert_name, firing_id: each.id };
  });
  const { payload } = message;
  return {
    ...message,
    name: [...new Set(alerts.map(({ name }) => name))].join(", "),
    payload: { ...payload, data: { ...payload.data, alerts } },
  };
}

/** Firings of the delivery. */
async function listReported(
  db: Database | Tx,
  { id, alert_firing_id: firingId }: DeliveryOfMessage,
  isToOwner: boolean,
): Promise<ReportedFiring[]> {
  const others = await listOtherFirings(db, [id]);
  const ids = [...(firingId === null ? [] : [firingId]), ...(others.get(id) ?? [])];
  return ids.map((each) => ({ id: each, isToOwner }));
}

/** One message that lists several firings, in their order. */
function combineFirings(
  message: AlertMessage,
  firings: readonly NamedFiring[],
  { publicUrl, simulated }: MessagePlace,
): AlertMessage {
  const listed = firings.slice(0, MAX_LISTED).map((firing) => {
    const { title } = describeFiring(toDescribed(firing));
    const part = simulated.get(firing.id);
    const simulatedPart = part === undefined ? "" : ` ${describeSimulated(part)}`;
    return `${truncate(MAX_LINE - simulatedPart.length, title)}${simulatedPart}`;
  });
  const left = firings.length - listed.length;
  return {
    ...message,
    title: formatCombinedTitle(firings.length, message.title),
    facts: [],
    list: { label: "Alerts", items: [...listed, ...(left > 0 ? [`and ${left} more`] : [])] },
    url: `${publicUrl}/alerts`,
  };
}

function formatCombinedTitle(count: number, first: string): string {
  return `${count} alerts fired. ${first}`;
}

function truncate(length: number, text: string): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}

/** Title of a message in the delivery history. `unusedKeys`: number of keys in a message about unused keys. */
export function titleOf(
  firing: NamedFiring | null,
  { listed, unusedKeys }: { listed: readonly CausedFiring[]; unusedKeys: number },
): string {
  if (firing === null) return "Test message";
  if (unusedKeys > 1) return describeUnusedKeys(unusedKeys, findFewestDays(listed)).title;
  const { title } = describeFiring(toDescribed(firing));
  const count = dropSameCause(listed, (each) => each).length;
  return count > 1 && unusedKeys === 0 ? formatCombinedTitle(count, title) : title;
}

/** Lowest threshold of alerts about unused keys. Each key has been unused for at least as long. */
function findFewestDays(firings: readonly { threshold: string }[]): string {
  const days = firings.map(({ threshold }) => Number.parseInt(threshold, 10));
  return formatPlural(Math.min(...days), "day");
}

/** Maximum keys or firings that a message lists. The message counts the others. */
const MAX_LISTED = 20;
/** Maximum characters of a line. All lines fit in Slack's limit of 3,000. */
const MAX_LINE = 120;

/** The message about several unused keys. */
function toDigest(
  message: AlertMessage,
  of: { keys: readonly DigestKey[]; count: number; days: string; publicUrl: string },
): AlertMessage {
  const { keys, count, days } = of;
  const words = describeUnusedKeys(count, days);
  const url = `${of.publicUrl}/api-keys?unused=${Number.parseInt(days, 10)}`;
  const left = count - keys.length;
  const items = [...keys.map(formatKeyLine), ...(left > 0 ? [`and ${left} more`] : [])];
  return {
    ...message,
    ...words,
    facts: [],
    list: { label: "API keys", items },
    url,
    payload: {
      ...message.payload,
      data: { ...message.payload.data, ...words, url, api_keys: keys, api_keys_count: count },
    },
  };
}

function formatKeyLine({ name, workspace_name: workspace, last_used_at: at }: DigestKey): string {
  const used = at === null ? "never used" : `last used ${at.slice(0, 10)}`;
  const line = `${name} (${workspace})`;
  return `${truncate(MAX_LINE - used.length - 2, line)}: ${used}`;
}

function makeTest(
  { id, created_at: at }: DeliveryOfMessage,
  of: { channel: { id: string; name: string } | null; source: string; url: string },
): AlertMessage {
  const { channel, source, url } = of;
  const name = channel?.name ?? "";
  return {
    id,
    firingId: null,
    title: `Test of the alert channel "${name}"`,
    next: "This is a test. The channel can receive alert messages.",
    facts: [],
    list: null,
    url,
    severity: "info",
    source,
    name,
    at,
    payload: {
      type: "alert.test",
      version: 1,
      timestamp: at.toISOString(),
      data: { alert_channel_id: channel?.id ?? null, alert_channel_name: name, url },
    },
  };
}

function toMessage(
  { id, alert_firing_id: firingId }: DeliveryOfMessage,
  firing: NamedFiring,
  { publicUrl, simulated }: MessagePlace,
): AlertMessage {
  const url = `${publicUrl}/alerts/firings/${firing.id}`;
  const part = simulated.get(firing.id);
  const described = describeFiring(toDescribed(firing));
  const words =
    part === undefined
      ? described
      : { ...described, next: `${describeSimulated(part)} ${described.next}` };
  return {
    id,
    // Also if a firing of another alert describes the cause: this one identifies the incident until it is resolved.
    firingId,
    title: words.title,
    next: words.next,
    facts: [
      { label: "Scope", value: describeScope(firing) },
      ...formatFacts(firing.facts, part),
      ...(firing.kind === "refused_requests"
        ? [{ label: "Refused requests", value: `${publicUrl}${makeRefusalsPath(firing)}` }]
        : []),
    ],
    list: listOverrunRequests(firing.facts),
    url,
    severity: severityOf(firing),
    source: firing.organization_name,
    name: firing.alert_name,
    at: firing.fired_at,
    payload: {
      type: "alert.fired",
      version: 1,
      timestamp: firing.fired_at.toISOString(),
      data: { ...toData(firing, part), ...words, url },
    },
  };
}

function toDescribed({ kind, scope_type: scopeType, threshold, facts, ...firing }: NamedFiring) {
  return {
    kind,
    scopeType,
    scopeName: firing.scope_name ?? "",
    threshold,
    facts,
  };
}

function toCaused({ scope_type: scopeType, scope_id: scopeId, ...firing }: NamedFiring) {
  return { scopeType, scopeId, ...firing };
}

/** Address of the request log that lists the refused requests of the scope. */
function makeRefusalsPath({ scope_type: type, scope_id: id }: NamedFiring): string {
  const filters = { workspace: "workspace", api_key: "key", member: "member" };
  const filter = type in filters ? filters[type as keyof typeof filters] : undefined;
  const scope =
    filter === undefined ? "" : `&${filter}=${encodeURIComponent(JSON.stringify([id]))}`;
  return `/requests?refused=true${scope}`;
}

/** The firing as in the Admin API, without its later state. `simulated`: part of the spend, nano-USD. */
function toData(firing: NamedFiring, simulated: bigint | undefined): object {
  return {
    id: firing.id,
    type: "alert_firing",
    alert: { id: firing.alert_id, name: firing.alert_name },
    organization: { id: firing.organization_id, name: firing.organization_name },
    kind: firing.kind,
    scope: toWireScope({ scopeType: firing.scope_type, scopeId: firing.scope_id }),
    scope_name: firing.scope_name ?? "",
    workspace_id: firing.workspace_id,
    threshold: firing.threshold,
    facts: {
      ...firing.facts,
      ...(simulated !== undefined && { simulated_usd: formatUsd(simulated) }),
    },
    fired_at: firing.fired_at.toISOString(),
  };
}

function describeScope(
  of: Pick<NamedFiring, "scope_type" | "scope_name" | "workspace_name">,
): string {
  const name = of.scope_name ?? "";
  return of.scope_type === "api_key"
    ? `the API key ${name} of the workspace ${of.workspace_name ?? ""}`
    : `the ${of.scope_type} ${name}`;
}

/** Requests of an overrun, with their cost and cause. */
function listOverrunRequests({ overrun_requests: requests }: FiringFacts): AlertMessage["list"] {
  if (!requests?.length) return null;
  const items = requests.map(({ id, cost_usd, held_usd, cause }) => {
    const held = held_usd === null ? "" : ` of $${held_usd} held`;
    return `${id}: $${cost_usd}${held}, ${cause.replaceAll("_", " ")}`;
  });
  return { label: "Requests", items };
}

function formatFacts(
  facts: FiringFacts,
  simulated: bigint | undefined,
): { label: string; value: string }[] {
  const lines: [string, string | null][] = [
    ["Spent", formatSpent(facts.spent_usd, simulated)],
    ["Held for requests", formatUsdFact(facts.held_usd)],
    ["Unresolved", formatUsdFact(facts.unresolved_usd)],
    ["Beyond the limit", formatUsdFact(facts.overrun_usd)],
    ["Limit", formatLimit(facts)],
    ["Period began", facts.usual_usd ? formatTime(facts.period_starts_at) : null],
    ["Period ends", formatTime(facts.period_ends_at)],
    ["Forecast", formatUsdFact(facts.forecast_usd)],
    ["Limit reached", formatTime(facts.reached_at)],
    ["Usual", formatUsdFact(facts.usual_usd)],
    ["Requests", formatFact(facts.requests)],
    ["Failed requests", formatFact(facts.failed_requests)],
    ["Most frequent cause", formatFact(facts.top_error_code)],
    ["Expires", formatTime(facts.expires_at)],
    ["Last used", formatTime(facts.last_used_at)],
    ["Network", formatFact(facts.address_range)],
    ["Lost changes", formatFact(facts.lost_events)],
    ["Restrictions applied again", formatFact(facts.restored_restrictions)],
    ["Lost", facts.lost_changes?.length ? facts.lost_changes.join(", ") : null],
  ];
  return lines.flatMap(([label, value]) => (value === null ? [] : [{ label, value }]));
}

function formatLimit({ limit_usd, period, enforcement }: FiringFacts): string | null {
  const amount = formatUsdFact(limit_usd);
  if (amount === null) return null;
  const kind = enforcement === null || enforcement === undefined ? "" : `, ${kinds[enforcement]}`;
  return `${amount}${period ? ` ${period}` : ""}${kind}`;
}

const kinds = { strict: "strict", soft: "soft", alert_only: "alerts only" } as const;

function formatUsdFact(amount: string | null | undefined): string | null {
  return amount === null || amount === undefined ? null : `$${amount}`;
}

/** Example: `$12.40, of which $3.00 simulated`. */
function formatSpent(spent: string | null | undefined, simulated: bigint | undefined) {
  const amount = formatUsdFact(spent);
  if (amount === null || simulated === undefined) return amount;
  return `${amount}, of which $${formatUsd(simulated)} simulated`;
}

function formatFact(value: string | number | null | undefined): string | null {
  return value === null || value === undefined ? null : String(value);
}

/** Formats a time as `2026-12-01 00:00 UTC`. */
function formatTime(at: string | null | undefined): string | null {
  if (at === null || at === undefined) return null;
  return `${new Date(at).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}
