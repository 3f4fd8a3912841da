import { formatCount, formatPlural } from "../../ui/format.ts";
import type { SettingsCheck } from "./settings-queries.ts";

/** Effects of other managed settings, as sentences. */
export function describeSettingsChange({
  laptops: { active, changed, without_settings: without },
  version,
}: Pick<SettingsCheck, "laptops" | "version">): string[] {
  return [
    active === 0
      ? "No laptop is signed in. Later sign-ins get the settings at once."
      : `${formatCount(changed)} of ${formatPlural(active, "laptop")} ${changed === 1 ? "gets" : "get"} other settings at the next start, or within an hour.`,
    ...(without > 0
      ? [
          `${formatPlural(without, "laptop gets", "laptops get")} no settings any more, and use those of their own machine.`,
        ]
      : []),
    ...(version > 0 ? [`To undo it, restore version ${version}.`] : []),
  ];
}
