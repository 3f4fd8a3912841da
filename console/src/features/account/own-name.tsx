import { useState } from "react";
import { useForm } from "react-hook-form";
import { showServerErrors } from "../../kit/server-errors.ts";
import { useChange } from "../../queries.ts";
import { useSession } from "../../session.ts";
import { Button } from "../../ui/button.tsx";
import { Field } from "../../ui/field.tsx";
import { needed } from "../../ui/form.ts";
import { Input } from "../../ui/input.tsx";
import { FormError } from "../../ui/states.tsx";
import { showToast } from "../../ui/toast.ts";

/** The name that others see. */
export function OwnName() {
  const { member } = useSession();
  const change = useChange("updateProfile", ["getSession", "listMembers", "getMember"]);
  const [error, setError] = useState<Error | null>(null);
  const form = useForm({ values: { name: member.name } });
  const submit = form.handleSubmit(async (body) => {
    setError(null);
    try {
      await change.mutateAsync({ body });
      showToast("Name changed");
    } catch (failure) {
      setError(showServerErrors(form, failure as Error));
    }
  });
  return (
    <form noValidate className="grid max-w-sm gap-4" onSubmit={(event) => void submit(event)}>
      <Field label="Your name" error={form.formState.errors.name?.message}>
        {(control) => (
          <Input
            {...control}
            autoComplete="name"
            {...form.register("name", needed("Enter your name."))}
          />
        )}
      </Field>
      <FormError error={error} />
      <div>
        <Button type="submit" isBusy={change.isPending} disabled={!form.formState.isDirty}>
          Change name
        </Button>
      </div>
    </form>
  );
}
