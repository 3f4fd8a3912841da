import { assert } from "#src/lib/assert.ts";
import { isRecord, type SettingsPolicy } from "./effective-settings.rule.ts";

/** Reads policies from a stored version. */
export function parsePolicies(text: string): SettingsPolicy[] {
  const parsed: unknown = JSON.parse(text);
  assert(Array.isArray(parsed) && parsed.every(isPolicy), "a version has a list of policies");
  return parsed;
}

function isPolicy(value: unknown): value is SettingsPolicy {
  return (
    isRecord(value) &&
    typeof value["name"] === "string" &&
    Array.isArray(value["group_ids"]) &&
    value["group_ids"].every((id) => typeof id === "string") &&
    isRecord(value["settings"])
  );
}
