import { useChangeForm } from "../../kit/use-change-form.ts";
import { Button } from "../../ui/button.tsx";
import { Field } from "../../ui/field.tsx";
import { needed } from "../../ui/form.ts";
import { Input } from "../../ui/input.tsx";
import { FormError } from "../../ui/states.tsx";
import { UnsavedGuard } from "../../ui/unsaved-guard.tsx";
import { useCreateDirectory } from "./queries.ts";

interface NewDirectoryProps {
  onSaved: (directoryId: string) => void;
  onCancel: () => void;
}

/** First step: name and issuer. The answer has the redirect URI for the provider. */
export function NewDirectory({ onSaved, onCancel }: NewDirectoryProps) {
  const { form, submit, isBusy, error } = useChangeForm(useCreateDirectory(), {
    defaultValues: { name: "", issuer: "" },
    toInput: ({ name, issuer }) => ({ body: { name, issuer: issuer.trim() } }),
    toast: "Directory created",
    onSaved: ({ id }) => onSaved(id),
  });
  const { errors, isDirty } = form.formState;
  return (
    <form onSubmit={submit} noValidate className="grid max-w-xl gap-5">
      <UnsavedGuard isDirty={isDirty} />
      <Field
        label="Name"
        hint="Shown on the sign-in page: “Sign in with …”."
        error={errors.name?.message}
      >
        {(control) => (
          <Input
            {...control}
            autoFocus
            {...form.register("name", needed("Enter a name."))}
            maxLength={100}
          />
        )}
      </Field>
      <Field
        label="Issuer"
        hint="The provider’s https address, exactly as its documents name it. The issuer cannot be changed later."
        error={errors.issuer?.message}
      >
        {(control) => (
          <Input
            {...control}
            type="url"
            spellCheck={false}
            placeholder="https://login.example.com"
            {...form.register("issuer", needed("Enter the issuer."))}
          />
        )}
      </Field>
      <FormError error={error} />
      <div className="flex flex-wrap gap-2.5">
        <Button kind="primary" type="submit" isBusy={isBusy}>
          Create directory
        </Button>
        <Button onClick={onCancel}>Cancel</Button>
      </div>
    </form>
  );
}
