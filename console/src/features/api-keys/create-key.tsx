import { type BaseSyntheticEvent, type ReactNode, useState } from "react";
import { type ApiKey, useCreateApiKey } from "../../kit/api-keys/queries.ts";
import { useChangeForm } from "../../kit/use-change-form.ts";
import { useWorkspaceNames } from "../../kit/workspaces/queries.ts";
import { useSession } from "../../session.ts";
import { Button } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { DialogForm } from "../../ui/dialog-form.tsx";
import { toExpiry } from "../../ui/expiry.ts";
import { Field } from "../../ui/field.tsx";
import { needed, toLines } from "../../ui/form.ts";
import { formatDay } from "../../ui/format.ts";
import { Input } from "../../ui/input.tsx";
import {
  checkChoices,
  hasUsers,
  KeySettings,
  type KeyValues,
  keyFieldNames,
  toSettings,
  useDefaultValues,
} from "./key-settings.tsx";
import { NewKeyUsers } from "./key-users.tsx";
import type { OwnerLink } from "./owner-link-dialog.tsx";
import { describeKey } from "./words.ts";

interface CreateProps {
  workspaceId: string | undefined;
  onClose: () => void;
  /** Receives the key and its secret, to show it once. Do not store it. */
  onCreated: (key: ApiKey, secret: string) => void;
  /** Receives the link for the owner of the new key. */
  onHandedOver: (link: OwnerLink) => void;
}

/** Form for a new key, with a summary to confirm. */
export function CreateKeyDialog(props: CreateProps) {
  const { workspaceId, onClose, onCreated, onHandedOver } = props;
  const [isReviewed, setIsReviewed] = useState(false);
  const { member } = useSession();
  const changeForm = useChangeForm(useCreateApiKey(), {
    defaultValues: useDefaultValues(workspaceId),
    toInput: (values) => ({ body: { name: values.name, ...toSettings(values, member.id) } }),
    onSaved: ({ key: secret, waiting_secret: waiting, ...key }) => {
      if (secret !== null) return onCreated(key, secret);
      if (waiting !== null) onHandedOver({ key, waiting });
    },
    fieldNames: keyFieldNames,
    onFieldsRefused: () => setIsReviewed(false),
  });
  const { form } = changeForm;
  const { errors } = form.formState;
  const review = (event?: BaseSyntheticEvent) => {
    form.clearErrors();
    const showReview = form.handleSubmit((values) => {
      if (checkChoices(values, form)) setIsReviewed(true);
    });
    void showReview(event);
  };
  return (
    <Dialog
      title="Create key"
      description={
        isReviewed ? "Check the key before it is created." : "A key belongs to one workspace."
      }
      isOpen
      onClose={onClose}
    >
      <DialogForm
        form={isReviewed ? changeForm : { ...changeForm, error: null, submit: review }}
        action={isReviewed ? "Create key" : "Review key"}
        back={isReviewed && <Button onClick={() => setIsReviewed(false)}>Back</Button>}
      >
        {isReviewed ? (
          <Review values={form.getValues()} />
        ) : (
          <>
            <Field
              label="Name"
              error={errors.name?.message}
              hint="The program that uses the key, such as “Checkout, production”."
            >
              {(control) => (
                <Input
                  {...control}
                  {...form.register("name", needed("Enter a name."))}
                  maxLength={100}
                />
              )}
            </Field>
            <KeySettings form={form} workspaceId={workspaceId} />
          </>
        )}
      </DialogForm>
    </Dialog>
  );
}

const leavers: Readonly<Record<KeyValues["owner"], string | null>> = {
  workspace: null,
  me: "you leave",
  person: "its owner leaves",
};

function Review({ values }: { values: KeyValues }) {
  const nameOf = useWorkspaceNames();
  const expires = toExpiry(values.expires_at, Date.now());
  const words = describeKey({
    permission: values.permission,
    workspace: nameOf(values.workspace_id ?? "").name,
    owner: leavers[values.owner],
    models: toLines(values.allowed_models),
    addresses: toLines(values.allowed_addresses),
    expires: expires && formatDay(expires),
  });
  const { user_directory_id: directoryId, requires_user: isRequired } = values;
  const origins = toLines(values.allowed_origins);
  const line = (mark: ReactNode, text: ReactNode) => (
    <li className="grid grid-cols-[1.25rem_1fr] gap-2 py-2.5">
      <span aria-hidden="true" className="pt-px text-center">
        {mark}
      </span>
      <span>{text}</span>
    </li>
  );
  return (
    <div>
      <p className="pb-2 font-serif text-lg font-[560]">{values.name.trim()}</p>
      <ul className="divide-y divide-line border-y border-line text-[0.9375rem]">
        {line(<span className="text-good">✓</span>, words.can)}
        {line(<span className="text-bad">✕</span>, words.cannot)}
        {line(<span className="text-quiet">◷</span>, words.ends)}
        {origins.length > 0 &&
          line(<span className="text-quiet">→</span>, `Pages of ${origins.join(", ")} can use it.`)}
        {hasUsers(values) &&
          line(
            <span className="text-quiet">→</span>,
            <NewKeyUsers id={directoryId} isRequired={isRequired} />,
          )}
      </ul>
    </div>
  );
}
