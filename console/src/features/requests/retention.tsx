import { useState } from "react";
import { useForm } from "react-hook-form";
import { useMay } from "../../session.ts";
import { Button } from "../../ui/button.tsx";
import { CancelButton, Dialog, DialogActions } from "../../ui/dialog.tsx";
import { Field } from "../../ui/field.tsx";
import { showServerErrors } from "../../ui/form.ts";
import { formatDay, formatPlural } from "../../ui/format.ts";
import { Input } from "../../ui/input.tsx";
import { FormError } from "../../ui/states.tsx";
import { showToast } from "../../ui/toast.ts";
import { useRequestLogSettings, useSetRequestRetention } from "./queries.ts";

/** How long the log is kept, and the way to change that for who may. */
export function Retention() {
  const may = useMay();
  const settings = useRequestLogSettings(may("organization:read"));
  const [isSetting, setIsSetting] = useState(false);
  if (!settings.data) return null;
  const { retention_days: days, pruned_before: prunedBefore } = settings.data;
  return (
    <p className="flex flex-wrap items-center gap-x-3 gap-y-1 text-sm text-quiet">
      <span>
        {days === null
          ? "Requests are kept for ever."
          : `Requests are kept for ${formatPlural(days, "day")}.`}
        {prunedBefore && ` Those before ${formatDay(prunedBefore)} have been deleted.`}
      </span>
      {may("organization:write") && (
        <Button kind="quiet" onClick={() => setIsSetting(true)}>
          Set retention…
        </Button>
      )}
      {isSetting && <RetentionDialog days={days} onClose={() => setIsSetting(false)} />}
    </p>
  );
}

function RetentionDialog({ days, onClose }: { days: number | null; onClose: () => void }) {
  const set = useSetRequestRetention();
  const [error, setError] = useState<Error | null>(null);
  const form = useForm({ defaultValues: { retention_days: days === null ? "" : String(days) } });
  const submit = form.handleSubmit(async ({ retention_days }) => {
    setError(null);
    const text = retention_days.trim();
    try {
      await set.mutateAsync({ body: { retention_days: text === "" ? null : Number(text) } });
      showToast(
        text === ""
          ? "Requests are kept for ever"
          : `Requests are kept for ${formatPlural(Number(text), "day")}`,
      );
      onClose();
    } catch (failure) {
      setError(showServerErrors(form, failure as Error));
    }
  });
  return (
    <Dialog
      title="Set retention"
      description="Older requests are deleted within a day, for good. Usage, cost and spend keep counting them; only their minutes can no longer be reported."
      isOpen
      onClose={onClose}
    >
      <form noValidate className="grid gap-5" onSubmit={(event) => void submit(event)}>
        <Field
          label="Days"
          hint="At least 7. Empty: for ever."
          error={form.formState.errors.retention_days?.message}
        >
          {(control) => (
            <Input
              {...control}
              inputMode="numeric"
              {...form.register("retention_days", {
                pattern: { value: /^\s*\d*\s*$/, message: "Enter whole days." },
              })}
              className="max-w-40"
            />
          )}
        </Field>
        <FormError error={error} />
        <DialogActions>
          <CancelButton />
          <Button kind="primary" type="submit" isBusy={set.isPending}>
            Set retention
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
