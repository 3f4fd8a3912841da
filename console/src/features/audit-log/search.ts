import { viewFields } from "../../kit/tables/view-fields.ts";
import { day, makeSearchReader, text } from "../../search-fields.ts";

const MAX_LENGTH = 100;

/** Reads the address of the audit log. */
export const readAuditSearch = makeSearchReader({
  /** Event name, or a prefix that ends in a dot. */
  event: text(MAX_LENGTH),
  actor_type: text(MAX_LENGTH),
  workspace: text(MAX_LENGTH),
  /** Id, request id or network address. See `toQuery`. */
  find: text(MAX_LENGTH),
  /** Id of the actor. */
  actor: text(MAX_LENGTH),
  /** First day in UTC. */
  from: day,
  /** Last day in UTC, included. */
  to: day,
  ...viewFields,
});
export type AuditSearch = ReturnType<typeof readAuditSearch>;

const DAY_MS = 86_400_000;

/** Converts the address to filters of the API. `find` is an id of a subject or request, or a network address. */
export function toQuery(search: AuditSearch): Record<string, string> {
  const find = search.find?.trim();
  return removeAbsent({
    event: search.event,
    actor_type: search.actor_type,
    actor_id: search.actor,
    workspace_id: search.workspace,
    starting_at: search.from && new Date(search.from).toISOString(),
    ending_at: search.to && new Date(Date.parse(search.to) + DAY_MS).toISOString(),
    ...(find ? { [findField(find)]: find } : {}),
  });
}

function findField(text: string): "request_id" | "ip_address" | "subject_id" {
  if (text.startsWith("req_")) return "request_id";
  return /^[\d.]+$|^[\da-f]*:[\da-f:.]*$/i.test(text) ? "ip_address" : "subject_id";
}

function removeAbsent(fields: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(fields).filter((entry): entry is [string, string] => Boolean(entry[1])),
  );
}
