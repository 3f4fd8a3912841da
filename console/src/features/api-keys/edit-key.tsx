import { useCallback } from "react";
import type { ApiKey } from "../../kit/api-keys/queries.ts";
import { describeLastUse } from "../../kit/api-keys/stop-effects.ts";
import { NarrowerModels } from "../../kit/consequences/narrower-models.tsx";
import { formatTags, tagLines, toTagChange } from "../../kit/tags/tag-lines.ts";
import { TagsField } from "../../kit/tags/tags-field.tsx";
import { useChangeForm } from "../../kit/use-change-form.ts";
import { Dialog } from "../../ui/dialog.tsx";
import { DialogForm } from "../../ui/dialog-form.tsx";
import { toExpiry } from "../../ui/expiry.ts";
import { Field } from "../../ui/field.tsx";
import { needed, toLines } from "../../ui/form.ts";
import { formatDay } from "../../ui/format.ts";
import { Input } from "../../ui/input.tsx";
import { ExpiryField, Restrictions } from "./key-fields.tsx";
import { findRestrictions } from "./key-ranks.ts";
import { OtherRestrictions } from "./key-restrictions.tsx";
import { UsersFields } from "./key-users.tsx";
import { useUpdateApiKey } from "./queries.ts";
import { useEditedRank } from "./use-key-rank.ts";

const KEPT = "kept";

/** Form for the name, expiry and restrictions of a key. */
export function EditKeyDialog({ apiKey, onClose }: { apiKey: ApiKey; onClose: () => void }) {
  const rank = useEditedRank(apiKey);
  const own = findRestrictions(apiKey, rank);
  const changeForm = useChangeForm(useUpdateApiKey(), {
    defaultValues: {
      name: apiKey.name,
      expires_at: KEPT,
      allowed_models: own?.allowed_models?.join("\n") ?? "",
      allowed_addresses: own?.allowed_addresses?.join("\n") ?? "",
      allowed_origins: apiKey.allowed_origins?.join("\n") ?? "",
      tags: formatTags(apiKey.tags),
      user_directory_id: apiKey.user_directory_id ?? "",
      requires_user: apiKey.user_directory_id === null || apiKey.requires_user,
    },
    toInput: (values, { dirtyFields }) => ({
      params: { api_key_id: apiKey.id },
      body: {
        // Send only changed fields, so that changes by other members stay.
        ...(dirtyFields.name && { name: values.name }),
        ...(values.expires_at !== KEPT && {
          expires_at: toExpiry(values.expires_at, Date.now()),
        }),
        ...(dirtyFields.allowed_models && {
          allowed_models: toRestriction(values.allowed_models),
        }),
        ...(dirtyFields.allowed_addresses && {
          allowed_addresses: toRestriction(values.allowed_addresses),
        }),
        ...(dirtyFields.allowed_origins && {
          allowed_origins: toRestriction(values.allowed_origins),
        }),
        ...(dirtyFields.tags && { tags: toTagChange(apiKey.tags, values.tags) }),
        ...(dirtyFields.user_directory_id && {
          user_directory_id: values.user_directory_id || null,
        }),
        ...((dirtyFields.user_directory_id || dirtyFields.requires_user) &&
          values.user_directory_id !== "" && { requires_user: values.requires_user }),
      },
    }),
    toast: ({ name }) => `Key “${name}” saved`,
    onSaved: onClose,
  });
  const { form } = changeForm;
  const { errors, isDirty, dirtyFields } = form.formState;
  const { setValue } = form;
  const choose = useCallback(
    (choice: string) => setValue("expires_at", choice, { shouldDirty: true }),
    [setValue],
  );
  return (
    <Dialog
      title="Edit key"
      description="Changes apply within a second on every server. The secret stays the same."
      isOpen
      onClose={onClose}
    >
      <DialogForm form={changeForm} action="Save key" isDisabled={!isDirty}>
        <Field label="Name" error={errors.name?.message}>
          {(control) => (
            <Input
              {...control}
              {...form.register("name", needed("Enter a name."))}
              maxLength={100}
            />
          )}
        </Field>
        <ExpiryField
          value={form.watch("expires_at")}
          onChange={choose}
          error={errors.expires_at?.message}
          kept={{
            value: KEPT,
            label: apiKey.expires_at
              ? `Unchanged: ${formatDay(apiKey.expires_at)}`
              : "Unchanged: never",
          }}
        />
        <TagsField input={form.register("tags", tagLines)} error={errors.tags?.message} />
        {apiKey.owner.type === "workspace" && (
          <UsersFields
            workspaceId={apiKey.workspace_id}
            current={apiKey.user_directory_id}
            directory={form.register("user_directory_id")}
            isRequired={form.register("requires_user")}
            chosen={form.watch("user_directory_id")}
            error={errors.user_directory_id?.message}
          />
        )}
        <Restrictions
          models={form.register("allowed_models")}
          addresses={form.register("allowed_addresses")}
          origins={form.register("allowed_origins")}
          errors={errors}
          isOpen={[apiKey.allowed_models, apiKey.allowed_addresses, apiKey.allowed_origins].some(
            (list) => list !== null,
          )}
        />
        {dirtyFields.allowed_models && (
          <NarrowerModels
            filter={{ api_key_id: [apiKey.id] }}
            workspaceId={apiKey.workspace_id}
            models={toLines(form.watch("allowed_models"))}
          />
        )}
        {dirtyFields.allowed_addresses && (
          <p className="text-sm text-quiet">{describeLastUse(apiKey, Date.now())}</p>
        )}
        <OtherRestrictions apiKey={apiKey} rank={rank} />
      </DialogForm>
    </Dialog>
  );
}

/** Entries of a restriction. Null, from an empty field, removes it. */
function toRestriction(text: string): string[] | null {
  const lines = toLines(text);
  return lines.length > 0 ? lines : null;
}
