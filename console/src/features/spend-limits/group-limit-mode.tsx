import type { Answer } from "../../api-client.ts";
import { LoadError } from "../../kit/error-pages.tsx";
import { useChangeForm } from "../../kit/use-change-form.ts";
import { useApi, useChange } from "../../queries.ts";
import { useMayEverywhere } from "../../session.ts";
import { Button } from "../../ui/button.tsx";
import { Choices } from "../../ui/input.tsx";
import { FormError, SkeletonRows } from "../../ui/states.tsx";
import { UnsavedGuard } from "../../ui/unsaved-guard.tsx";

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

function ModeForm({ saved }: { saved: Mode }) {
  const mayChange = useMayEverywhere()("spend_limits:write");
  const setMode = useChange("setGroupLimitMode", [
    "getGroupLimitMode",
    "listSpendLimits",
    "listBlockingLimits",
  ]);
  const { form, submit, isBusy, error } = useChangeForm(setMode, {
    values: { mode: saved },
    toInput: (body) => ({ body }),
    toast: ({ mode }) =>
      mode === "highest" ? "Highest default cap applies" : "Lowest default cap applies",
  });
  const { isDirty } = form.formState;
  return (
    <form noValidate onSubmit={submit}>
      <UnsavedGuard isDirty={isDirty} />
      <fieldset disabled={!mayChange} className="grid max-w-md gap-4">
        <Choices
          legend="Default cap"
          name="mode"
          value={form.watch("mode")}
          onChange={(value) => form.setValue("mode", value, { shouldDirty: true })}
          choices={choices}
        />
        <FormError error={error} />
        {mayChange && (
          <Button
            kind="primary"
            type="submit"
            className="w-fit"
            isBusy={isBusy}
            disabled={!isDirty}
          >
            Save default cap
          </Button>
        )}
      </fieldset>
    </form>
  );
}
