import {
  choosePolicies,
  formatSorted,
  type SettingsPolicy,
  toEffectiveSettings,
} from "./effective-settings.rule.ts";

/** Laptops whose settings a change of the policies affects. */
export interface AffectedLaptops {
  active: number;
  /** With other settings than before, also none. */
  changed: number;
  /** With settings before, and none after. */
  withoutSettings: number;
}

/** Laptops of members with the same groups. */
interface LaptopsOfGroups {
  groupIds: readonly string[];
  laptops: number;
}

/** Counts active laptops by the settings that they get before and after a change. */
export function countAffectedLaptops(
  laptops: readonly LaptopsOfGroups[],
  before: readonly SettingsPolicy[],
  after: readonly SettingsPolicy[],
): AffectedLaptops {
  const affected = { active: 0, changed: 0, withoutSettings: 0 };
  for (const { groupIds, laptops: count } of laptops) {
    const [one, other] = [formatEffective(before, groupIds), formatEffective(after, groupIds)];
    affected.active += count;
    if (one === other) continue;
    affected.changed += count;
    if (other === null) affected.withoutSettings += count;
  }
  return affected;
}

/** Null: no policy applies. */
function formatEffective(
  policies: readonly SettingsPolicy[],
  groupIds: readonly string[],
): string | null {
  const chosen = choosePolicies(policies, groupIds);
  return chosen && formatSorted(toEffectiveSettings(chosen));
}
