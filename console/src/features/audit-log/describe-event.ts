import { roleNames } from "@bursar/contract/permissions.ts";
import { meters, meterWords } from "../../kit/rate-limits/words.ts";
import { findScopeId, type Scope, scopeLabel } from "../../kit/scopes/scope.ts";
import { enforcementWords } from "../../kit/spend-limits/words.ts";
import type { ItemOf } from "../../queries.ts";
import { formatCount, formatMonth, formatPlural, formatTime, formatUsd } from "../../ui/format.ts";

// One sentence about an event: whose limit, key or role it is, and what changed. Read from the payload of the event. A payload
// of an older version can lack fields, so each reading is checked, and an unknown event lists its changed fields.

export type Described = Pick<
  ItemOf<"listAuditEvents">,
  "event" | "subject" | "workspace_id" | "before" | "after"
>;

/** Name of the thing with this id. Null: unknown to the reader. */
export type NameOf = (id: string) => string | null;

/** Fields of a payload. Empty for a payload that is absent. */
type Fields = Readonly<Record<string, unknown>>;

interface Told {
  event: Described;
  before: Fields;
  after: Fields;
  /** The later state, or the earlier one of a deleted thing. */
  state: Fields;
  nameOf: NameOf;
}

/** Returns one sentence without a full stop. */
export function describeEvent(event: Described, nameOf: NameOf): string {
  const before = event.before ?? {};
  const after = event.after ?? {};
  const told = { event, before, after, state: event.after ?? before, nameOf };
  return describers[event.event]?.(told) ?? describeOther(told);
}

const describers: Readonly<Record<string, (told: Told) => string>> = {
  "spend_limit.set": describeSpendLimit,
  "spend_limit.deleted": (told) => `${nameSpendLimit(told)} removed: ${amountOf(told.before)}`,
  "rate_limit.set": (told) => `${nameRateLimit(told)}: ${change(told, rateOf)}`,
  "rate_limit.deleted": (told) => `${nameRateLimit(told)} removed: ${rateOf(told.before)}`,
  "api_key.created": describeNewKey,
  "api_key.updated": (told) => withChanges(`Key ${nameSubject(told)}`, told),
  "api_key.rotated": (told) => {
    const until = text(told.after, "previous_secret_valid_until");
    const rest = until === null ? "" : `, the old one is valid until ${formatTime(until)}`;
    return `Key ${nameSubject(told)}: new secret${rest}`;
  },
  "api_key.cut_off": (told) => `Key ${nameSubject(told)}: the old secret has ended`,
  "api_key.secret_shown": (told) => `Key ${nameSubject(told)}: its owner has seen the secret`,
  "admin_key.created": (told) => `Admin key ${nameSubject(told)}: ${scopesOf(told.after)}`,
  "admin_key.revoked": (told) => `Admin key ${nameSubject(told)}`,
  "workspace.created": (told) => `Workspace ${nameSubject(told)}`,
  "workspace.updated": (told) => withChanges(`Workspace ${nameSubject(told)}`, told),
  "workspace.archived": (told) => {
    const keys = told.after["archived_api_keys"];
    const also = typeof keys === "number" ? ` with ${formatPlural(keys, "key")}` : "";
    return `Workspace ${nameSubject(told)}${also}`;
  },
  "workspace_member.added": describeWorkspaceRole,
  "workspace_member.updated": describeWorkspaceRole,
  "workspace_member.removed": describeWorkspaceRole,
  "member.updated": (told) => withChanges(nameSubject(told), told),
  "member.deactivated": describeEndedMember,
  "member.removed": describeEndedMember,
  "member.signed_out": (told) => {
    const sessions = Number(told.after["ended_sessions"] ?? 0);
    const laptops = Number(told.after["ended_laptops"] ?? 0);
    return `${nameSubject(told)}: ${formatPlural(sessions, "session")} and ${formatPlural(laptops, "laptop")} ended`;
  },
  "group_workspace.set": describeGroupWorkspace,
  "group_workspace.removed": describeGroupWorkspace,
  "group_member.added": describeGroupMember,
  "group_member.removed": describeGroupMember,
  "invite.created": (told) => `${shown(told.after, "email")} as ${roleOf(told.after, "role")}`,
  "invite.accepted": (told) =>
    `${shown(told.state, "email")} joined as ${roleOf(told.state, "role")}`,
  "invite.revoked": (told) => `${shown(told.state, "email")} as ${roleOf(told.state, "role")}`,
  "statement.closed": (told) =>
    `Statement of ${monthOf(told.after, "month")}: ${usd(told.after, "net_cost_usd")} net cost`,
  "contract_term.created": describeTerm,
  "contract_term.deleted": describeTerm,
  "statement_settings.updated": (told) =>
    `Tag of cost centres: ${text(told.before, "cost_center_tag") ?? "none"} → ${text(told.after, "cost_center_tag") ?? "none"}`,
  "increase_request.created": (told) =>
    `${nameSpendLimit(told)}: ${usd(told.after, "amount_usd")} requested`,
  "increase_request.approved": (told) =>
    `${nameSpendLimit(told)}: ${usd(told.after, "approved_usd")} approved of ${usd(told.after, "amount_usd")}`,
  "increase_request.denied": (told) =>
    `${nameSpendLimit(told)}: ${usd(told.after, "amount_usd")} denied`,
  "increase_request.withdrawn": (told) =>
    `${nameSpendLimit(told)}: ${usd(told.after, "amount_usd")} withdrawn`,
  "alert.created": (told) => `Alert ${nameSubject(told)} for ${scopeOf(told)}`,
  "alert.updated": (told) => withChanges(`Alert ${nameSubject(told)} for ${scopeOf(told)}`, told),
  "alert.deleted": (told) => `Alert ${nameSubject(told)} for ${scopeOf(told)}`,
  "alert_firing.acknowledged": (told) => {
    const note = text(told.after, "note");
    return `Alert at ${shown(told.after, "threshold")}${note === null ? "" : `: ${note}`}`;
  },
  "request.cost_set": (told) =>
    `Request ${told.event.subject.id.slice(-8)}: ${usd(told.before, "cost_usd")} → ${usd(told.after, "cost_usd")}`,
  "unresolved_spend.resolved": (told) =>
    `${usd(told.before, "amount_usd")} unresolved: ${usd(told.after, "charged_usd")} charged`,
  "access.denied": ({ after }) =>
    `${shown(after, "method")} ${shown(after, "path")}: ${formatPlural(Number(after["count"] ?? 1), "call")} refused`,
  "session.started": ({ after }) =>
    `Sign-in by ${(text(after, "method") ?? "unknown means").replaceAll("_", " ")}, ${shown(after, "device")}`,
  "sign_in.failed": ({ after }) => formatPlural(Number(after["attempts"] ?? 1), "failed attempt"),
  "model_price.created": (told) =>
    `${shown(told.after, "model")}: input ${usd(told.after, "input_usd")}, output ${usd(told.after, "output_usd")} per million tokens`,
};

/** `12.5% discount on claude-opus from October 2026` */
function describeTerm({ state }: Told): string {
  const family = text(state, "model_family");
  const models = family === null ? "" : ` on ${family}`;
  return `${shown(state, "discount_percent")}% discount${models} from ${monthOf(state, "from_month")}`;
}

/** Month of a field such as `2026-10`. */
function monthOf(fields: Fields, field: string): string {
  const month = text(fields, field) ?? "";
  return /^\d{4}-\d{2}$/.test(month) ? formatMonth(`${month}-01T00:00:00Z`) : "an unknown month";
}

function describeSpendLimit(told: Told): string {
  return `${nameSpendLimit(told)}: ${change(told, amountOf)}`;
}

/** `Monthly limit of workspace Engineering` */
function nameSpendLimit(told: Told): string {
  return `${capitalise(text(told.state, "period") ?? "spend")} limit of ${scopeOf(told)}`;
}

function nameRateLimit(told: Told): string {
  const group = text(told.state, "model_group");
  const models = group === null || group === "all" ? "" : `, models ${group}`;
  return `Rate limit of ${scopeOf(told)}${models}`;
}

/** `$250.00, strict` */
function amountOf(fields: Fields): string {
  const words = (enforcementWords as Record<string, { label: string }>)[
    text(fields, "enforcement") ?? ""
  ];
  const amount = usd(fields, "limit_usd");
  return words === undefined ? amount : `${amount}, ${words.label.toLowerCase()}`;
}

/** `60 requests and 1,000 output tokens per minute` */
function rateOf(fields: Fields): string {
  const parts = meters.flatMap((meter) => {
    const perMinute = fields[`${meter}_per_minute`];
    if (typeof perMinute !== "number") return [];
    return [`${formatCount(perMinute)} ${meterWords[meter].label.toLowerCase()}`];
  });
  return parts.length === 0 ? "none" : `${parts.join(" and ")} per minute`;
}

/** Both values, or the only one. Equal values mean that another rank's value has changed, which is not in force. */
function change({ event, before, after }: Told, read: (fields: Fields) => string): string {
  if (event.before === null) return read(after);
  const values = [read(before), read(after)];
  return values[0] === values[1] ? `${values[0]}, unchanged in force` : values.join(" → ");
}

/** `workspace Engineering`, `key Deploy`, `the whole company` */
function scopeOf({ state, event, nameOf }: Told): string {
  const scope = state["scope"] as (Scope & { id?: unknown }) | undefined;
  if (typeof scope !== "object" || scope === null) {
    return event.workspace_id === null ? "the company" : nameWorkspace(event.workspace_id, nameOf);
  }
  const id = typeof scope.id === "string" ? scope.id : findScopeId(scope);
  const name = id === null ? "" : (nameOf(id) ?? id);
  if (scope.type === "workspace") return `workspace ${name}`;
  const label = scopeLabel(scope.type, name);
  return label.charAt(0).toLowerCase() + label.slice(1);
}

function describeNewKey(told: Told): string {
  const { event, after, nameOf } = told;
  const owner = text(after, "owner_member_id");
  const expiry = text(after, "expires_at");
  return [
    `Key ${nameSubject(told)}`,
    owner === null ? "" : ` of ${nameOf(owner) ?? owner}`,
    event.workspace_id === null ? "" : ` in ${nameWorkspace(event.workspace_id, nameOf)}`,
    expiry === null ? "" : `, expires ${formatTime(expiry)}`,
  ].join("");
}

function describeWorkspaceRole(told: Told): string {
  const { event, nameOf } = told;
  const workspace = event.workspace_id ?? event.subject.id;
  const roles = change(told, (fields) => roleOf(fields, "workspace_role"));
  const role = event.after === null ? roleOf(told.before, "workspace_role") : roles;
  return `${person(told.state)} in ${nameWorkspace(workspace, nameOf)}: ${role}`;
}

function describeGroupWorkspace(told: Told): string {
  const { event, nameOf, state } = told;
  const workspace = event.workspace_id ?? event.subject.id;
  const roles = change(told, (fields) => roleOf(fields, "workspace_role"));
  const role = event.after === null ? roleOf(told.before, "workspace_role") : roles;
  return `Group ${shown(state, "name")} in ${nameWorkspace(workspace, nameOf)}: ${role}`;
}

function describeGroupMember({ state, nameOf, event }: Told): string {
  const group = text(state, "group_name") ?? nameOf(event.subject.id) ?? event.subject.id;
  return `${person(state)} in group ${group}`;
}

function describeEndedMember(told: Told): string {
  const ended = told.after["ended"];
  const keys = typeof ended === "object" && ended !== null ? Reflect.get(ended, "api_keys") : null;
  const count =
    Array.isArray(keys) && keys.length > 0 ? `, ${formatPlural(keys.length, "key")} ended` : "";
  return `${nameSubject(told)}, ${roleOf(told.before, "role")}${count}`;
}

/** Names the subject and its changed fields. */
function describeOther(told: Told): string {
  const { event } = told;
  // A laptop has its own noun in the event. Its subject is the key of the laptop.
  const noun = event.event.startsWith("laptop.") ? "laptop" : event.subject.type;
  const kind = noun.replaceAll("_", " ").replace(/^(api|scim)\b/, (word) => word.toUpperCase());
  const name = findName(told);
  return withChanges(capitalise(name === null ? kind : `${kind} ${name}`), told);
}

const MAX_CHANGES = 2;
const MAX_VALUE_LENGTH = 40;
/** Fields that repeat others, or that change with every change. */
const silent = new Set(["version", "updated_at", "values", "restrictions", "ended", "things"]);

/** Adds up to two changed fields: `Key Deploy: status active → disabled, and 3 more fields`. */
function withChanges(name: string, { event, before, after }: Told): string {
  if (event.before === null || event.after === null) return name;
  const changed = Object.keys({ ...before, ...after }).filter(
    (field) => !silent.has(field) && JSON.stringify(before[field]) !== JSON.stringify(after[field]),
  );
  if (changed.length === 0) return name;
  const shown = changed.slice(0, MAX_CHANGES).map((field) => describeField(field, before, after));
  const rest = changed.length - shown.length;
  return `${name}: ${shown.join(", ")}${rest > 0 ? `, and ${formatPlural(rest, "more field")}` : ""}`;
}

function describeField(field: string, before: Fields, after: Fields): string {
  const label = field.replace(/_(usd|at|id|ids)$/, "").replaceAll("_", " ");
  const values = [before[field], after[field]].map((value) => describeValue(field, value));
  if (values.some((value) => value === null)) return label;
  return `${label} ${values.join(" → ")}`;
}

/** Null: too long for a sentence. */
function describeValue(field: string, value: unknown): string | null {
  if (value === null || value === undefined) return "none";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "number")
    return field.endsWith("_usd") ? formatUsd(String(value)) : formatCount(value);
  if (Array.isArray(value)) {
    return value.every((each) => typeof each === "string")
      ? shorten(value.join(", ") || "none")
      : null;
  }
  if (typeof value !== "string") return null;
  if (field.endsWith("_at") || field.endsWith("_until")) return formatTime(value);
  if (field.endsWith("role")) return (roleNames as Record<string, string>)[value] ?? value;
  return shorten(value);
}

function shorten(value: string): string | null {
  return value.length > MAX_VALUE_LENGTH ? null : value;
}

/** Name of the subject in the payload, or its current name, or its id. */
function nameSubject(told: Told): string {
  return findName(told) ?? told.event.subject.id;
}

function findName({ event, state, nameOf }: Told): string | null {
  return text(state, "name") ?? text(state, "email") ?? nameOf(event.subject.id);
}

function nameWorkspace(id: string, nameOf: NameOf): string {
  return `workspace ${nameOf(id) ?? id}`;
}

function person(fields: Fields): string {
  return text(fields, "name") ?? text(fields, "email") ?? "A member";
}

function roleOf(fields: Fields, field: string): string {
  const role = shown(fields, field);
  return (roleNames as Record<string, string>)[role] ?? role;
}

function scopesOf(fields: Fields): string {
  const scopes = fields["scopes"];
  return Array.isArray(scopes) ? `scopes ${scopes.join(", ")}` : "all rights";
}

function usd(fields: Fields, field: string): string {
  const value = fields[field];
  if (typeof value !== "string" && typeof value !== "number") return "nothing";
  try {
    return formatUsd(String(value));
  } catch {
    return String(value);
  }
}

function shown(fields: Fields, field: string): string {
  return text(fields, field) ?? "unknown";
}

function text(fields: Fields, field: string): string | null {
  const value = fields[field];
  return typeof value === "string" && value !== "" ? value : null;
}

function capitalise(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1);
}
