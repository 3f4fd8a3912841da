import { formatSorted, type Settings, type SettingsPolicy } from "./effective-settings.rule.ts";

export interface PolicyChange {
  policy: string;
  change: "added" | "removed" | "changed";
  keys: KeyChange[];
}

export interface KeyChange {
  /** `group_ids`, or a key of the settings. */
  path: string;
  /** Null: absent. */
  before: unknown;
  after: unknown;
}

export interface PoliciesDifference {
  /** True if policies of both lists changed places. */
  isReordered: boolean;
  changes: PolicyChange[];
}

/** Compares two lists of policies by name. */
export function comparePolicies(
  before: readonly SettingsPolicy[],
  after: readonly SettingsPolicy[],
): PoliciesDifference {
  const names = [...new Set([...after, ...before].map(({ name }) => name))];
  const changes = names.flatMap((name) => {
    const one = before.find((policy) => policy.name === name) ?? null;
    const other = after.find((policy) => policy.name === name) ?? null;
    const keys = compareKeys(one, other);
    if (keys.length === 0 && one !== null && other !== null) return [];
    const change = one === null ? "added" : other === null ? "removed" : "changed";
    return [{ policy: name, change, keys } as const];
  });
  const [held, kept] = [listCommon(before, after), listCommon(after, before)];
  return { isReordered: formatSorted(held) !== formatSorted(kept), changes };
}

function listCommon(
  policies: readonly SettingsPolicy[],
  others: readonly SettingsPolicy[],
): string[] {
  const names = new Set(others.map(({ name }) => name));
  return policies.map(({ name }) => name).filter((name) => names.has(name));
}

function compareKeys(before: SettingsPolicy | null, after: SettingsPolicy | null): KeyChange[] {
  const [one, other] = [toFields(before), toFields(after)];
  return [...new Set([...Object.keys(one), ...Object.keys(other)])]
    .map((path) => ({ path, before: one[path] ?? null, after: other[path] ?? null }))
    .filter((each) => formatSorted(each.before) !== formatSorted(each.after));
}

function toFields(policy: SettingsPolicy | null): Settings {
  if (policy === null) return {};
  const settings = Object.entries(policy.settings).map(([key, value]) => [
    `settings.${key}`,
    value,
  ]);
  return { group_ids: policy.group_ids, ...Object.fromEntries(settings) };
}
