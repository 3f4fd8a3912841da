import { useChangeForm } from "../../kit/use-change-form.ts";
import { useSession } from "../../session.ts";
import { Choices } from "../../ui/input.tsx";
import { type SecuritySettings, useUpdateSecuritySettings } from "./queries.ts";
import { SettingSection } from "./setting-section.tsx";
import { SettingsConsequences } from "./settings-consequences.tsx";

type Rule = SecuritySettings["second_factor"];

const choices: readonly { value: Rule; label: string; hint: string }[] = [
  { value: "off", label: "No member", hint: "Each member decides on the account page." },
  {
    value: "admins",
    label: "Owners and Admins",
    hint: "Members with rights over the whole company.",
  },
  { value: "all", label: "All members", hint: "Every person who signs in." },
];

const toasts: Record<Rule, string> = {
  off: "Second factor is optional",
  admins: "Second factor required for Owners and Admins",
  all: "Second factor required for all members",
};

const ownIsMissing =
  "You have no second factor. After you save, the console asks you to set one up.";

/** Members who need an authenticator app or a passkey. */
export function SecondFactorSetting({ settings }: { settings: SecuritySettings }) {
  const change = useChangeForm(useUpdateSecuritySettings(), {
    values: { second_factor: settings.second_factor },
    toInput: (body) => ({ body }),
    toast: ({ second_factor }) => toasts[second_factor],
  });
  const { form } = change;
  const rule = form.watch("second_factor");
  const isOwnMissing = useIsOwnMissing(rule);
  return (
    <SettingSection
      title="Second factor"
      lead="An authenticator app or a passkey. Members without one can only set one up, also in open sessions."
      change={change}
      action="Save second factor"
    >
      <Choices
        legend="Required for"
        name="second_factor"
        value={rule}
        onChange={(value) => form.setValue("second_factor", value, { shouldDirty: true })}
        choices={choices}
      />
      <SettingsConsequences
        change={form.formState.isDirty ? { second_factor: rule } : null}
        own={isOwnMissing && form.formState.isDirty ? [ownIsMissing] : []}
      />
    </SettingSection>
  );
}

/** True if the rule requires a second factor that the signed-in member does not have. */
function useIsOwnMissing(rule: Rule): boolean {
  const { member, two_factor } = useSession();
  const isRequired = rule === "all" || (rule === "admins" && /^(owner|admin)$/.test(member.role));
  return isRequired && !two_factor.is_enabled && two_factor.passkeys === 0;
}
