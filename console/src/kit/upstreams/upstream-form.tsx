import { Button } from "../../ui/button.tsx";
import { FormError } from "../../ui/states.tsx";
import { UnsavedGuard } from "../../ui/unsaved-guard.tsx";
import { UpstreamFields } from "./upstream-fields.tsx";
import { useUpstreamForm } from "./use-upstream-form.ts";

interface UpstreamFormProps {
  onSaved: () => void;
  onCancel: () => void;
}

/** Form on a page that stores the first upstream. */
export function UpstreamForm({ onSaved, onCancel }: UpstreamFormProps) {
  const { form, submit, isBusy, error } = useUpstreamForm(null, onSaved);
  return (
    <form onSubmit={submit} noValidate className="grid gap-5">
      <UnsavedGuard isDirty={form.formState.isDirty && !isBusy} />
      <UpstreamFields form={form} upstream={null} />
      <FormError error={error} />
      <div className="flex flex-wrap gap-2.5">
        <Button kind="primary" type="submit" isBusy={isBusy}>
          Store upstream
        </Button>
        <Button onClick={onCancel}>Cancel</Button>
      </div>
    </form>
  );
}
