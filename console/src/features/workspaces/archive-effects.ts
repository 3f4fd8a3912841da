import { describeRecentRequests, listNames } from "../../kit/consequences/sentences.ts";
import { formatPlural } from "../../ui/format.ts";

interface ArchivedWorkspace {
  /** Names of active keys. Undefined: unknown. */
  keys: readonly string[] | undefined;
  /** Requests of the last hour. Undefined: unknown. */
  requests: number | undefined;
  laptops: number | undefined;
  /** Members with a role that no company role gives. Undefined: unknown. */
  members: number | undefined;
}

/** Effects of archiving a workspace. */
export function describeArchiving(archived: ArchivedWorkspace): string[] {
  const { keys, requests, laptops = 0, members = 0 } = archived;
  return [
    ...(keys === undefined ? [] : [describeKeys(keys)]),
    ...(keys?.length !== 0 && requests !== undefined ? [describeRecentRequests(requests)] : []),
    ...(laptops === 0
      ? []
      : [
          formatPlural(
            laptops,
            "laptop of Claude Code stops working.",
            "laptops of Claude Code stop working.",
          ),
        ]),
    ...(members === 0
      ? []
      : [
          formatPlural(
            members,
            "member can no longer use the workspace.",
            "members can no longer use the workspace.",
          ),
        ]),
    "Roles, limits and rules of the workspace stay as they are, and cannot be changed.",
  ];
}

function describeKeys(names: readonly string[]): string {
  if (names.length === 0) return "The workspace has no active key.";
  return `${formatPlural(names.length, "active key")} will stop working within a second: ${listNames(names)}.`;
}
