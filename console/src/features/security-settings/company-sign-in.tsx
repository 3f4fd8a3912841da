import { Link } from "@tanstack/react-router";
import { useChangeForm } from "../../kit/use-change-form.ts";
import { useMay, useSession } from "../../session.ts";
import { Checkbox } from "../../ui/input.tsx";
import { Section } from "../../ui/page.tsx";
import { type SecuritySettings, useUpdateSecuritySettings } from "./queries.ts";
import { SettingSection } from "./setting-section.tsx";
import { SettingsConsequences } from "./settings-consequences.tsx";

const TITLE = "Only company sign-in";
const LEAD =
  "Members sign in through a directory only. Passwords, password links and passkeys at sign-in are refused.";

/** Whether members sign in through a directory only. Owners change it. */
export function CompanySignIn({ settings }: { settings: SecuritySettings }) {
  const isOwner = useMay()("directories:write");
  if (isOwner) return <CompanySignInForm settings={settings} />;
  return (
    <Section title={TITLE} lead={LEAD}>
      <p className="text-sm text-quiet">
        {settings.company_sign_in_only ? "Required." : "Not required."} Owners can change this
        setting.
      </p>
    </Section>
  );
}

function CompanySignInForm({ settings }: { settings: SecuritySettings }) {
  const { directory } = useSession();
  const change = useChangeForm(useUpdateSecuritySettings(), {
    values: { company_sign_in_only: settings.company_sign_in_only },
    toInput: (body) => ({ body }),
    toast: ({ company_sign_in_only: isOnly }) =>
      isOnly ? "Company sign-in required" : "All sign-in methods allowed",
  });
  const canTurnOn = directory !== null || settings.company_sign_in_only;
  return (
    <SettingSection title={TITLE} lead={LEAD} change={change} action="Save company sign-in">
      <Checkbox
        label="Require the company sign-in"
        hint="All sessions that no directory started end now. The operator can let an owner in."
        disabled={!canTurnOn}
        {...change.form.register("company_sign_in_only")}
      />
      <SettingsConsequences
        change={
          change.form.formState.isDirty
            ? { company_sign_in_only: change.form.watch("company_sign_in_only") }
            : null
        }
      />
      {!canTurnOn && (
        <p className="text-sm text-quiet">
          Sign in through a <Link to="/directories">directory</Link> first. The rule could otherwise
          exclude you.
        </p>
      )}
    </SettingSection>
  );
}
