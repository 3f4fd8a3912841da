import {
  choosePolicies,
  isBase,
  type SettingsPolicy,
  toEffectiveSettings,
} from "./effective-settings.rule.ts";
import {
  checkSettings,
  type SettingsFault,
  type SettingsWarning,
  type SettingsWarningCode,
} from "./known-settings.rule.ts";

export interface PolicyWarning extends Omit<SettingsWarning, "code"> {
  code: SettingsWarningCode | "unknown_group" | "never_matches" | "no_base";
}

export interface CheckedPolicies {
  faults: SettingsFault[];
  warnings: PolicyWarning[];
}

/** Maximum size of the settings of one person, bytes of JSON. */
const MAX_EFFECTIVE_BYTES = 64 * 1024;
/** Maximum size of all policies, bytes of JSON. */
const MAX_BYTES = 512 * 1024;

export interface KnownGroups {
  /** Groups of the organization. */
  existing: ReadonlySet<string>;
  /** Deleted groups that stored policies still name. They match no member. */
  deleted: ReadonlySet<string>;
}

/** Checks an ordered list of policies. Paths are names on the wire, such as `policies.0.settings.env`. */
export function checkPolicies(
  policies: readonly SettingsPolicy[],
  groups: KnownGroups,
): CheckedPolicies {
  const settings = policies.map(({ settings }, index) =>
    checkSettings(settings, `policies.${index}.settings`),
  );
  const faults = [
    ...listNameFaults(policies),
    ...policies.flatMap((policy, index) => listGroupFaults(policy, index, groups)),
    ...settings.flatMap((each) => each.faults),
  ];
  // The size of settings that nest without an end is not computed.
  if (faults.length === 0) faults.push(...listSizeFaults(policies));
  const warnings = [
    ...settings.flatMap((each) => each.warnings),
    ...policies.flatMap((policy, index) => listGroupWarnings(policies, policy, index, groups)),
  ];
  if (policies.length > 0 && !policies.some(isBase)) {
    const message =
      "No policy applies to everyone. Members without a listed group get no settings.";
    warnings.push({ path: "policies", code: "no_base", message });
  }
  return { faults, warnings };
}

function listNameFaults(policies: readonly SettingsPolicy[]): SettingsFault[] {
  const firstBase = policies.findIndex(isBase);
  return policies.flatMap((policy, index) => {
    const faults: SettingsFault[] = [];
    if (policies.findIndex(({ name }) => name === policy.name) !== index) {
      faults.push({ path: `policies.${index}.name`, message: "Another policy has this name." });
    }
    if (isBase(policy) && index !== firstBase) {
      const message = "Another policy has no groups. One policy at most applies to everyone.";
      faults.push({ path: `policies.${index}.group_ids`, message });
    }
    return faults;
  });
}

function listGroupFaults(
  { group_ids }: SettingsPolicy,
  index: number,
  { existing, deleted }: KnownGroups,
): SettingsFault[] {
  return group_ids.flatMap((id, at) =>
    existing.has(id) || deleted.has(id)
      ? []
      : [{ path: `policies.${index}.group_ids.${at}`, message: "There is no such group." }],
  );
}

function listGroupWarnings(
  policies: readonly SettingsPolicy[],
  { group_ids }: SettingsPolicy,
  index: number,
  { existing, deleted }: KnownGroups,
): PolicyWarning[] {
  const path = `policies.${index}.group_ids`;
  const warnings = group_ids.flatMap((id, at): PolicyWarning[] => {
    if (existing.has(id) || !deleted.has(id)) return [];
    const message = "The group was deleted, so it matches no member.";
    return [{ path: `${path}.${at}`, code: "unknown_group", message }];
  });
  const earlier = new Set(policies.slice(0, index).flatMap((policy) => policy.group_ids));
  if (group_ids.length > 0 && group_ids.every((id) => earlier.has(id))) {
    const message = "Policies above have all of these groups, so this one never applies.";
    warnings.push({ path, code: "never_matches", message });
  }
  return warnings;
}

function listSizeFaults(policies: readonly SettingsPolicy[]): SettingsFault[] {
  if (countBytes(policies) > MAX_BYTES) {
    const message = `All policies together have more than ${MAX_BYTES / 1024} KB of JSON.`;
    return [{ path: "policies", message }];
  }
  return policies.flatMap((policy, index) => {
    const chosen = choosePolicies(policies.filter(isBase), []);
    const settings = toEffectiveSettings({
      base: chosen?.base ?? null,
      matching: isBase(policy) ? null : policy,
    });
    if (countBytes(settings) <= MAX_EFFECTIVE_BYTES) return [];
    const message = `The settings have more than ${MAX_EFFECTIVE_BYTES / 1024} KB of JSON, together with the base.`;
    return [{ path: `policies.${index}.settings`, message }];
  });
}

function countBytes(value: unknown): number {
  return new TextEncoder().encode(JSON.stringify(value)).length;
}
