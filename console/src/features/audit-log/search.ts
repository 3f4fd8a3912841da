/** What of the audit log stands in the address. Everything may be absent. */
export interface AuditSearch {
  /** An event, or the beginning of several, ending in a dot. */
  event?: string;
  actor_type?: string;
  workspace?: string;
  /** Days in UTC, the last one included. */
  from?: string;
  to?: string;
  /** An id, a request id or an address: see `toQuery`. */
  find?: string;
  /** Whose doing only. */
  actor?: string;
}

const names = ["event", "actor_type", "workspace", "find", "actor"] as const;
const MAX_LENGTH = 100;

/** Reads the address; what makes no sense is as if it were not there. */
export function readAuditSearch(raw: Record<string, unknown>): AuditSearch {
  const found: AuditSearch = {};
  for (const name of names) {
    const value = raw[name];
    if (typeof value === "string" && value !== "") found[name] = value.slice(0, MAX_LENGTH);
  }
  for (const name of ["from", "to"] as const) {
    const day = raw[name];
    if (
      typeof day === "string" &&
      /^\d{4}-\d{2}-\d{2}$/.test(day) &&
      !Number.isNaN(Date.parse(day))
    )
      found[name] = day;
  }
  return found;
}

const DAY_MS = 86_400_000;

/** The filters of the API that the address means. One box takes ids of things, of requests, and network addresses. */
export function toQuery(search: AuditSearch): Record<string, string> {
  const find = search.find?.trim();
  return dropAbsent({
    event: search.event,
    actor_type: search.actor_type,
    actor_id: search.actor,
    workspace_id: search.workspace,
    starting_at: search.from && new Date(search.from).toISOString(),
    ending_at: search.to && new Date(Date.parse(search.to) + DAY_MS).toISOString(),
    ...(find ? { [fieldOf(find)]: find } : {}),
  });
}

function fieldOf(text: string): "request_id" | "ip_address" | "subject_id" {
  if (text.startsWith("req_")) return "request_id";
  return /^[\d.]+$|^[\da-f]*:[\da-f:.]*$/i.test(text) ? "ip_address" : "subject_id";
}

function dropAbsent(fields: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(fields).filter((entry): entry is [string, string] => Boolean(entry[1])),
  );
}
