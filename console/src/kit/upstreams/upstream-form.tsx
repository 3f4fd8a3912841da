import { Button } from "../../ui/button.tsx";
import { Field } from "../../ui/field.tsx";
import { needed } from "../../ui/form.ts";
import { Input } from "../../ui/input.tsx";
import { FormError } from "../../ui/states.tsx";
import { UnsavedGuard } from "../../ui/unsaved-guard.tsx";
import { useChangeForm } from "../use-change-form.ts";
import { type Upstream, useCreateUpstream, useUpdateUpstream } from "./queries.ts";
import { ChangeConsequences } from "./upstream-consequences.tsx";

const ANTHROPIC = "https://api.anthropic.com";

interface UpstreamFormProps {
  /** The stored upstream, or null to store one. */
  upstream: Upstream | null;
  onSaved?: () => void;
  onCancel?: () => void;
}

/** Address and credential of the upstream for every workspace. The credential is never shown again. */
export function UpstreamForm({ upstream, onSaved, onCancel }: UpstreamFormProps) {
  const create = useCreateUpstream();
  const update = useUpdateUpstream();
  const { form, submit, isBusy, error } = useChangeForm(upstream ? update : create, {
    defaultValues: {
      name: upstream?.name ?? "Claude API",
      base_url: upstream?.base_url ?? ANTHROPIC,
      credential: "",
    },
    toInput: ({ name, base_url, credential }, { dirtyFields }) => {
      const secret = credential.trim() !== "" && { credential: credential.trim() };
      if (!upstream) return { body: { name, base_url, ...secret } };
      return {
        params: { upstream_id: upstream.id },
        body: {
          // Sends only changed fields, so that changes of other members stay.
          ...(dirtyFields.name && { name }),
          // A new credential is sent with its address.
          ...((dirtyFields.base_url || secret) && { base_url }),
          ...secret,
        },
      };
    },
    toast: "Upstream saved",
    onSaved: (_, { name, base_url }, { reset }) => {
      reset({ name, base_url, credential: "" });
      onSaved?.();
    },
  });
  const { errors, isDirty } = form.formState;
  const isMoved = upstream !== null && form.watch("base_url").trim() !== upstream.base_url;
  return (
    <form onSubmit={submit} noValidate className="grid gap-5">
      <UnsavedGuard isDirty={isDirty} />
      <Field label="Name" error={errors.name?.message}>
        {(control) => (
          <Input {...control} {...form.register("name", needed("Enter a name."))} maxLength={100} />
        )}
      </Field>
      <Field
        label="Address"
        hint="An https address, or http on this machine. Bursar adds paths such as /v1/messages."
        error={errors.base_url?.message}
      >
        {(control) => (
          <Input
            {...control}
            type="url"
            spellCheck={false}
            {...form.register("base_url", needed("Enter an address."))}
          />
        )}
      </Field>
      <Field
        label="Claude API key"
        isOptional={upstream?.has_credential === true && !isMoved}
        hint={
          isMoved
            ? "A new address deletes the stored key. Enter the key for the new address."
            : upstream?.credential_hint
              ? `Stored: ${upstream.credential_hint}. Leave empty to keep this key.`
              : "Stored encrypted, sent only to this address, and never shown again."
        }
        error={errors.credential?.message}
      >
        {(control) => (
          <Input
            {...control}
            type="password"
            autoComplete="off"
            placeholder="sk-ant-…"
            {...form.register("credential")}
          />
        )}
      </Field>
      {upstream && (
        <ChangeConsequences
          upstream={upstream}
          baseUrl={form.watch("base_url").trim()}
          hasNewCredential={form.watch("credential").trim() !== ""}
        />
      )}
      <FormError error={error} />
      <div className="flex flex-wrap gap-2.5">
        <Button kind="primary" type="submit" isBusy={isBusy}>
          {upstream ? "Save changes" : "Store upstream"}
        </Button>
        {onCancel && <Button onClick={onCancel}>Cancel</Button>}
      </div>
    </form>
  );
}
