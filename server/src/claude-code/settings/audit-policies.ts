import type { AuditEntry } from "#src/audit/audited-transaction.ts";
import type { JsonValue } from "#src/audit/canonical-json.ts";
import { comparePolicies } from "./compare-policies.rule.ts";
import { isRecord } from "./effective-settings.rule.ts";
import type { VersionRow } from "./managed-settings.sql.ts";
import { parsePolicies } from "./parse-policies.ts";

type Saved = Pick<
  VersionRow,
  "organization_id" | "version" | "policies" | "comment" | "restored_version"
>;

/** Describes a new version by its difference from the one before: the order of policies, and the keys that changed. */
export function auditOfPolicies(before: Saved | null, after: Saved): AuditEntry {
  const one = before === null ? [] : parsePolicies(before.policies);
  const other = parsePolicies(after.policies);
  const { changes } = comparePolicies(one, other);
  const toSide = (side: "before" | "after") =>
    Object.fromEntries(
      changes.map(({ policy, keys }) => [
        policy,
        Object.fromEntries(keys.map((key) => [key.path, toJson(key[side])])),
      ]),
    );
  return {
    event: "managed_settings.set",
    subject: { type: "managed_settings", id: after.organization_id },
    workspaceId: null,
    before: before && {
      version: before.version,
      order: one.map(({ name }) => name),
      policies: toSide("before"),
    },
    after: {
      version: after.version,
      restored_version: after.restored_version,
      comment: after.comment,
      order: other.map(({ name }) => name),
      policies: toSide("after"),
    },
  };
}

/** Copies JSON. The values were read from JSON. */
function toJson(value: unknown): JsonValue {
  if (Array.isArray(value)) return value.map(toJson);
  if (isRecord(value)) {
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, toJson(each)]));
  }
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean"
    ? value
    : null;
}
