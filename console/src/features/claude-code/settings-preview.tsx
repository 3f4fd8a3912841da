import { useState } from "react";
import { useMembers } from "../../kit/members/queries.ts";
import { Button } from "../../ui/button.tsx";
import { CodeBlock } from "../../ui/code-block.tsx";
import { Combobox } from "../../ui/combobox.tsx";
import { Field } from "../../ui/field.tsx";
import { Section } from "../../ui/page.tsx";
import { FormError } from "../../ui/states.tsx";
import type { SettingsPolicy } from "./settings-draft.ts";
import { type EffectiveSettings, useCheckManagedSettings } from "./settings-queries.ts";

/** Settings that a chosen member would get from the policies on this page. Null: a policy is invalid. */
export function SettingsPreview({ policies }: { policies: readonly SettingsPolicy[] | null }) {
  const members = useMembers();
  const check = useCheckManagedSettings();
  const [memberId, setMemberId] = useState<string | null>(null);
  const options = (members.data?.items ?? []).map(({ id, name, email }) => ({
    ...{ value: id, label: name || email, note: email },
  }));
  return (
    <Section
      title="Settings of a member"
      lead="The settings that a client of the member gets, from the policies above, also before you save them."
    >
      <form
        className="flex flex-wrap items-end gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          if (memberId && policies) {
            check.mutate({ body: { policies: [...policies], member_id: memberId } });
          }
        }}
      >
        <Field label="Member" className="w-72 max-w-full">
          {(control) => (
            <Combobox
              control={control}
              options={options}
              value={memberId}
              onChange={setMemberId}
              placeholder="Search members"
            />
          )}
        </Field>
        <Button type="submit" isBusy={check.isPending} disabled={!memberId || !policies}>
          Show settings
        </Button>
      </form>
      <FormError error={check.error} />
      {check.data?.effective && <Effective effective={check.data.effective} />}
    </Section>
  );
}

function Effective({
  effective: { settings, keys, base, policy },
}: {
  effective: EffectiveSettings;
}) {
  if (settings === null) return <p className="text-sm">No policy applies to this member.</p>;
  return (
    <div className="grid gap-4 lg:grid-cols-2">
      <div className="grid content-start gap-2">
        <p className="text-sm text-quiet">
          Policy: {policy ?? "none"}. Base: {base ?? "none"}.
        </p>
        <CodeBlock text={JSON.stringify(settings, null, 2)} what="settings" />
      </div>
      <table className="w-full self-start text-sm">
        <caption className="pb-2 text-left text-quiet">Policies that decide each key</caption>
        <tbody className="divide-y divide-line border-y border-line">
          {keys.map(({ path, policies }) => (
            <tr key={path}>
              <th scope="row" className="py-1.5 pr-4 text-left font-mono font-normal break-all">
                {path}
              </th>
              <td className="py-1.5">
                {policies.length === 0 ? "Models that the groups allow" : policies.join(" + ")}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
