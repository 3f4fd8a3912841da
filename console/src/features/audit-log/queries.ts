import { useMemo } from "react";
import { useMembers } from "../../kit/members/queries.ts";
import { useTags } from "../../kit/usage/tags.ts";
import { useWorkspaces } from "../../kit/workspaces/queries.ts";
import { type ItemOf, useApi, useChange, useList, usePages } from "../../queries.ts";
import { useMay } from "../../session.ts";
import type { NameOf } from "./describe-event.ts";

export type AuditEvent = ItemOf<"listAuditEvents">;

const EVERY_MS = 30_000;

export const useAuditEvents = (query: object) => usePages("listAuditEvents", query);
export const useAuditLogState = () => useApi("getAuditLogState", {}, { everyMs: EVERY_MS });
export const useNewestEventBefore = (endingAt: string) =>
  useApi("listAuditEvents", { query: { ending_at: endingAt, limit: 1 } });
export const useSetAuditRetention = () =>
  useChange("setAuditRetention", ["getAuditLogState", "listAuditEvents"]);

/** True for a limit or an alert of one key. */
function isOfKey({ before, after }: AuditEvent): boolean {
  const scope = (after ?? before)?.["scope"];
  return typeof scope === "object" && scope !== null && "api_key_id" in scope;
}

/** Returns a function for the current names of workspaces, keys, members and groups that the reader may list. */
export function useSubjectNames(events: readonly AuditEvent[]): NameOf {
  const may = useMay();
  const workspaces = useWorkspaces({ withArchived: true });
  // Most events have the name of their key. The list of keys can be long.
  const hasKeys = events.some(isOfKey);
  const keys = useList("listApiKeys", {}, { isEnabled: hasKeys && may("api_keys:read") });
  const members = useMembers(true, may("members:read"));
  const groups = useList("listGroups", {}, { isEnabled: may("groups:read") });
  const tags = useTags();
  return useMemo(() => {
    const names = new Map<string, string>();
    for (const { id, name } of workspaces.data?.items ?? []) names.set(id, name);
    for (const { id, name } of keys.data?.items ?? []) names.set(id, name);
    for (const { id, name, email } of members.data?.items ?? []) names.set(id, name || email);
    for (const { id, name } of groups.data?.items ?? []) names.set(id, name);
    for (const { id, name, value } of tags.data?.items ?? []) names.set(id, `${name}: ${value}`);
    return (id) => names.get(id) ?? null;
  }, [workspaces.data, keys.data, members.data, groups.data, tags.data]);
}
