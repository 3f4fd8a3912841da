import { useChangeForm } from "../../kit/use-change-form.ts";
import { toLines } from "../../ui/form.ts";
import { formatPlural } from "../../ui/format.ts";
import { LinesField } from "../../ui/lines-field.tsx";
import { type SecuritySettings, useUpdateSecuritySettings } from "./queries.ts";
import { SettingSection } from "./setting-section.tsx";
import { SettingsConsequences } from "./settings-consequences.tsx";

/** Addresses from which members use the console. */
export function ConsoleAddresses({ settings }: { settings: SecuritySettings }) {
  const change = useChangeForm(useUpdateSecuritySettings(), {
    values: { console_addresses: settings.console_addresses?.join("\n") ?? "" },
    toInput: ({ console_addresses }) => ({ body: toBody(console_addresses) }),
    toast: ({ console_addresses: ranges }) =>
      ranges === null
        ? "The console works from all addresses"
        : `The console works from ${formatPlural(ranges.length, "address or range", "addresses or ranges")}`,
  });
  const { form } = change;
  return (
    <SettingSection
      title="Console addresses"
      lead="Sessions work from these addresses only, also open ones. Keys and the operator are not restricted."
      change={change}
      action="Save console addresses"
    >
      <LinesField
        label="Addresses"
        hint="IP addresses or ranges, one per line. Your own address must be among them. Empty: all addresses."
        placeholder="203.0.113.0/24"
        error={form.formState.errors.console_addresses?.message}
        {...form.register("console_addresses")}
      />
      <SettingsConsequences
        change={form.formState.isDirty ? toBody(form.watch("console_addresses")) : null}
      />
    </SettingSection>
  );
}

function toBody(text: string): { console_addresses: string[] | null } {
  const addresses = toLines(text);
  return { console_addresses: addresses.length === 0 ? null : addresses };
}
