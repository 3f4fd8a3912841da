import type { ReactNode } from "react";
import { isLower } from "../../kit/consequences/is-lower.ts";
import { LoadError } from "../../kit/error-pages.tsx";
import { Page } from "../../ui/page.tsx";
import { ApprovalOfRaises } from "./approval-of-raises.tsx";
import { CompanySignIn } from "./company-sign-in.tsx";
import { ConsoleAddresses } from "./console-addresses.tsx";
import { ExceedingKeys } from "./exceeding-keys.tsx";
import { KeyHygiene } from "./key-hygiene.tsx";
import { NumberSetting, type NumberWords } from "./number-setting.tsx";
import {
  idleTime,
  keyLifetime,
  keysPerMember,
  passwordLength,
  sessionLength,
} from "./number-words.ts";
import { type SecuritySettings, useKeyHygiene, useSecuritySettings } from "./queries.ts";
import { SecondFactorSetting } from "./second-factor.tsx";
import { KeysPerMemberConsequences, SettingsConsequences } from "./settings-consequences.tsx";

/** Rules for all members and keys of the company. */
export function SecuritySettingsPage() {
  const settings = useSecuritySettings();
  // Wait for the section above too, so that it does not push this one down.
  const isLoading = useKeyHygiene().isPending;
  if (settings.error) {
    return <LoadError error={settings.error} onRetry={() => void settings.refetch()} />;
  }
  return (
    <Page
      title="Security settings"
      guide="signing-in"
      lead="Rules for all members and programs of the company."
    >
      <KeyHygiene />
      {settings.data && !isLoading && <Settings settings={settings.data} />}
    </Page>
  );
}

/** Effects of a lower number. A higher one ends and refuses nothing. */
function LowerNumber(props: {
  words: NumberWords;
  settings: SecuritySettings;
  value: number | null;
}) {
  const { words, settings, value } = props;
  return (
    <SettingsConsequences
      change={isLower(settings[words.field], value) ? words.toBody(value) : null}
    />
  );
}

/** Settings by subject. Each is saved by itself. */
function Settings({ settings }: { settings: SecuritySettings }) {
  return (
    <>
      <Group>
        <NumberSetting
          words={keyLifetime}
          settings={settings}
          note={<ExceedingKeys settings={settings} />}
          effects={(days) => <LowerNumber words={keyLifetime} settings={settings} value={days} />}
        />
        <NumberSetting
          words={keysPerMember}
          settings={settings}
          effects={(keys) => (
            <KeysPerMemberConsequences before={settings.max_keys_per_member} after={keys} />
          )}
        />
      </Group>
      <Group>
        <SecondFactorSetting settings={settings} />
        <CompanySignIn settings={settings} />
        <ConsoleAddresses settings={settings} />
        <NumberSetting
          words={sessionLength}
          settings={settings}
          effects={(hours) => <SettingsConsequences change={sessionLength.toBody(hours)} />}
        />
        <NumberSetting
          words={idleTime}
          settings={settings}
          effects={(hours) => <SettingsConsequences change={idleTime.toBody(hours)} />}
        />
        <NumberSetting words={passwordLength} settings={settings} />
        <ApprovalOfRaises settings={settings} />
      </Group>
    </>
  );
}

function Group({ children }: { children: ReactNode }) {
  return (
    <div className="grid gap-x-12 gap-y-10 border-t border-line pt-8 lg:grid-cols-2">
      {children}
    </div>
  );
}
