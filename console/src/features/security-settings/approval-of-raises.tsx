import { useChangeForm } from "../../kit/use-change-form.ts";
import { Checkbox } from "../../ui/input.tsx";
import { type SecuritySettings, useUpdateSecuritySettings } from "./queries.ts";
import { SettingSection } from "./setting-section.tsx";

/** Whether a higher spend limit needs a second person. */
export function ApprovalOfRaises({ settings }: { settings: SecuritySettings }) {
  const change = useChangeForm(useUpdateSecuritySettings(), {
    values: { raises_need_two_people: settings.raises_need_two_people },
    toInput: (body) => ({ body }),
    toast: ({ raises_need_two_people: isNeeded }) =>
      isNeeded ? "Raises need a second person" : "Raises need no second person",
  });
  return (
    <SettingSection
      title="Approval of raises"
      lead="Applies to strict and soft spend limits. Members can always lower a limit at once."
      change={change}
      action="Save approval rule"
    >
      <Checkbox
        label="Require a second person"
        hint="A limit is raised or removed only by an increase request that another person approves. The operator is exempt."
        {...change.form.register("raises_need_two_people")}
      />
    </SettingSection>
  );
}
