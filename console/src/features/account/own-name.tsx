import { useChangeForm } from "../../kit/use-change-form.ts";
import { useChange } from "../../queries.ts";
import { useSession } from "../../session.ts";
import { Button } from "../../ui/button.tsx";
import { Field } from "../../ui/field.tsx";
import { needed } from "../../ui/form.ts";
import { Input } from "../../ui/input.tsx";
import { FormError } from "../../ui/states.tsx";

/** Form for the member's own name. */
export function OwnName() {
  const { member } = useSession();
  const change = useChange("updateProfile", ["getSession", "listMembers", "getMember"]);
  const { form, submit, isBusy, error } = useChangeForm(change, {
    values: { name: member.name },
    toInput: (body) => ({ body }),
    toast: "Name changed",
  });
  return (
    <form noValidate className="grid max-w-sm gap-4" onSubmit={submit}>
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
        <Button type="submit" isBusy={isBusy} disabled={!form.formState.isDirty}>
          Change name
        </Button>
      </div>
    </form>
  );
}
