import type { ReactNode } from "react";
import type { FieldValues } from "react-hook-form";
import { SettingForm } from "../../kit/setting-form.tsx";
import type { ChangeFormState } from "../../kit/use-change-form.ts";
import { useMay } from "../../session.ts";
import { Section } from "../../ui/page.tsx";

interface SettingSectionProps<Values extends FieldValues> {
  title: string;
  /** Effect of the setting. */
  lead: string;
  /** Form of this setting alone. */
  change: ChangeFormState<Values, null>;
  /** Label of the button: "Save keys per member". */
  action: string;
  /** Fields. */
  children: ReactNode;
  /** Shown below the form. */
  note?: ReactNode;
}

/** A section with one security setting. */
export function SettingSection<Values extends FieldValues>(props: SettingSectionProps<Values>) {
  const { title, lead, change, action, children, note } = props;
  const mayChange = useMay()("security:write");
  return (
    <Section title={title} lead={lead}>
      <SettingForm change={change} action={action} mayChange={mayChange}>
        {children}
      </SettingForm>
      {note}
    </Section>
  );
}
