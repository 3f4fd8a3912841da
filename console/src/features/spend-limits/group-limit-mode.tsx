import type { Answer } from "../../api-client.ts";
import { Consequences } from "../../kit/consequences/consequences.tsx";
import { LoadError } from "../../kit/error-pages.tsx";
import { findScopeId } from "../../kit/scopes/scope.ts";
import { SettingForm } from "../../kit/setting-form.tsx";
import { useChangeForm } from "../../kit/use-change-form.ts";
import { useApi, useChange, useList } from "../../queries.ts";
import { useMayEverywhere } from "../../session.ts";
import { Choices } from "../../ui/input.tsx";
import { SkeletonRows } from "../../ui/states.tsx";
import { describeGroupMode } from "./group-mode-effects.ts";

type Mode = Answer<"getGroupLimitMode">["mode"];

const choices: readonly { value: Mode; label: string; hint: string }[] = [
  {
    value: "highest",
    label: "Highest",
    hint: "A person gets the highest default cap of their groups.",
  },
  {
    value: "lowest",
    label: "Lowest",
    hint: "A person gets the lowest default cap of their groups.",
  },
];

/** Default cap of people in several groups. */
export function GroupLimitMode() {
  const mode = useApi("getGroupLimitMode", {});
  if (mode.error) return <LoadError error={mode.error} onRetry={() => void mode.refetch()} />;
  if (!mode.data) return <SkeletonRows rows={2} />;
  return <ModeForm saved={mode.data.mode} />;
}

function ModeConsequences({ mode }: { mode: Mode }) {
  const limits = useList("listSpendLimits", { query: { scope_type: "member" } });
  const capped = (limits.data?.items ?? []).filter(({ inherited_from }) => inherited_from !== null);
  const members = new Set(capped.map(({ scope }) => findScopeId(scope)));
  return <Consequences sentences={describeGroupMode(members.size, mode)} counts={[limits]} />;
}

function ModeForm({ saved }: { saved: Mode }) {
  const mayChange = useMayEverywhere()("spend_limits:write");
  const setMode = useChange("setGroupLimitMode", [
    "getGroupLimitMode",
    "listSpendLimits",
    "listBlockingLimits",
  ]);
  const change = useChangeForm(setMode, {
    values: { mode: saved },
    toInput: (body) => ({ body }),
    toast: ({ mode }) =>
      mode === "highest" ? "Highest default cap applies" : "Lowest default cap applies",
  });
  const { form } = change;
  return (
    <SettingForm
      change={change}
      action="Save default cap"
      mayChange={mayChange}
      changedBy="Owners, Admins and Billing"
    >
      <Choices
        legend="Default cap"
        name="mode"
        value={form.watch("mode")}
        onChange={(value) => form.setValue("mode", value, { shouldDirty: true })}
        choices={choices}
      />
      {form.formState.isDirty && <ModeConsequences mode={form.watch("mode")} />}
    </SettingForm>
  );
}
