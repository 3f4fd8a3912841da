import { type KeyPermission, keyPermissions } from "@bursar/contract/permissions.ts";
import { type ReactNode, useState } from "react";
import { type UseFormReturn, useForm } from "react-hook-form";
import { useMay, useSession } from "../../session.ts";
import { Button } from "../../ui/button.tsx";
import { ColorDot } from "../../ui/color-dot.tsx";
import { Combobox } from "../../ui/combobox.tsx";
import { Dialog, DialogActions } from "../../ui/dialog.tsx";
import { expiryChoices, toExpiry } from "../../ui/expiry.ts";
import { Field } from "../../ui/field.tsx";
import { needed, showServerErrors } from "../../ui/form.ts";
import { formatDay } from "../../ui/format.ts";
import { Choices, Input, Select, TextArea } from "../../ui/input.tsx";
import { FormError } from "../../ui/states.tsx";
import { useWorkspaceNames, useWorkspaces } from "../workspaces/queries.ts";
import { type ApiKey, useCreateApiKey, useKeyRules } from "./queries.ts";
import { describeKey, permissionWords } from "./words.ts";

interface KeyValues {
  name: string;
  workspace_id: string | null;
  owner: "workspace" | "me";
  permission: KeyPermission;
  expires_at: string;
  allowed_models: string;
  allowed_addresses: string;
}

interface CreateProps {
  workspaceId: string | undefined;
  onClose: () => void;
  /** Gets the key and its secret: to be shown, and kept nowhere. */
  onCreated: (key: ApiKey, secret: string) => void;
}

/** Asks, says in words what will be made, makes it. */
export function CreateKeyDialog({ workspaceId, onClose, onCreated }: CreateProps) {
  const create = useCreateApiKey();
  const [isReviewed, setIsReviewed] = useState(false);
  const [error, setError] = useState<Error | null>(null);
  const mayForWorkspace = useMayMakeWorkspaceKeys();
  const form = useForm<KeyValues>({
    defaultValues: {
      name: "",
      workspace_id: workspaceId ?? null,
      owner: mayForWorkspace ? "workspace" : "me",
      permission: "write",
      expires_at: "365",
      allowed_models: "",
      allowed_addresses: "",
    },
  });
  const { member } = useSession();
  const review = form.handleSubmit(({ workspace_id }) => {
    setError(null);
    if (workspace_id === null) {
      form.setError("workspace_id", { message: "Choose the workspace it belongs to." });
      return;
    }
    setIsReviewed(true);
  });
  const submit = form.handleSubmit(async (values) => {
    try {
      const made = await create.mutateAsync({ body: toBody(values, member.id) });
      const { key: secret, ...key } = made;
      create.reset();
      onCreated(key, secret);
    } catch (failure) {
      const left = showServerErrors(form, failure as Error, { permissions: "permission" });
      setError(left);
      if (!left) setIsReviewed(false);
    }
  });
  return (
    <Dialog
      title="Create API key"
      description={
        isReviewed ? "This is what will be made." : "For a program or a person in one workspace."
      }
      isOpen
      onClose={onClose}
    >
      <form
        onSubmit={(event) => void (isReviewed ? submit(event) : review(event))}
        noValidate
        className="grid gap-5"
      >
        {isReviewed ? (
          <Review values={form.getValues()} />
        ) : (
          <KeyFields form={form} isWorkspaceFixed={workspaceId !== undefined} />
        )}
        <FormError error={error} />
        <DialogActions>
          {isReviewed ? (
            <Button onClick={() => setIsReviewed(false)}>Back</Button>
          ) : (
            <Button onClick={onClose}>Cancel</Button>
          )}
          <Button kind="primary" type="submit" isBusy={create.isPending}>
            {isReviewed ? "Create key" : "Review key"}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}

interface FieldsProps {
  form: UseFormReturn<KeyValues>;
  isWorkspaceFixed: boolean;
}

function KeyFields({ form, isWorkspaceFixed }: FieldsProps) {
  const workspaces = useWorkspaces();
  const { errors } = form.formState;
  const values = form.watch();
  return (
    <>
      <Field
        label="Name"
        error={errors.name?.message}
        hint="What will hold it: “Checkout, production”."
      >
        {(control) => (
          <Input
            {...control}
            {...form.register("name", needed("Give it a name."))}
            maxLength={100}
          />
        )}
      </Field>
      {!isWorkspaceFixed && (
        <Field label="Workspace" error={errors.workspace_id?.message}>
          {(control) => (
            <Combobox
              control={control}
              placeholder="Type to find"
              value={values.workspace_id}
              onChange={(value) => {
                form.setValue("workspace_id", value);
                form.clearErrors("workspace_id");
              }}
              options={(workspaces.data?.items ?? []).map(({ id, name, display_color }) => ({
                value: id,
                label: name,
                mark: <ColorDot color={display_color} />,
              }))}
            />
          )}
        </Field>
      )}
      <Choices
        legend="What it may do"
        name="permission"
        value={values.permission}
        onChange={(permission) => form.setValue("permission", permission)}
        choices={keyPermissions.map((value) => ({
          value,
          label: permissionWords[value].label,
          hint: capitalise(permissionWords[value].can),
        }))}
      />
      <div className="grid gap-5 sm:grid-cols-2">
        <OwnerField form={form} />
        <ExpiryField form={form} />
      </div>
      <Restrictions form={form} />
    </>
  );
}

function OwnerField({ form }: { form: UseFormReturn<KeyValues> }) {
  const mayForWorkspace = useMayMakeWorkspaceKeys();
  return (
    <Field
      label="Owner"
      hint={
        form.watch("owner") === "me" ? "It stops when you leave." : "It stays when people leave."
      }
    >
      {(control) => (
        <Select {...control} {...form.register("owner")} disabled={!mayForWorkspace}>
          {mayForWorkspace && <option value="workspace">The workspace</option>}
          <option value="me">Me</option>
        </Select>
      )}
    </Field>
  );
}

function ExpiryField({ form }: { form: UseFormReturn<KeyValues> }) {
  const may = useMay();
  const rules = useKeyRules(may("security:read"));
  const maxDays = rules.data?.max_key_lifetime_days ?? null;
  const choices = expiryChoices.filter(
    ([value]) => maxDays === null || (value !== "never" && Number(value) <= maxDays),
  );
  return (
    <Field
      label="Expires"
      error={form.formState.errors.expires_at?.message}
      hint={maxDays === null ? undefined : `Your company allows ${maxDays} days at most.`}
    >
      {(control) => (
        <Select {...control} {...form.register("expires_at")}>
          {choices.map(([value, label]) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
          {maxDays !== null && !choices.some(([value]) => value === String(maxDays)) && (
            <option value={String(maxDays)}>In {maxDays} days</option>
          )}
        </Select>
      )}
    </Field>
  );
}

function Restrictions({ form }: { form: UseFormReturn<KeyValues> }) {
  const { errors } = form.formState;
  return (
    <details
      className="group"
      open={Boolean(errors.allowed_models ?? errors.allowed_addresses) || undefined}
    >
      <summary className="w-fit rounded-sm text-sm font-medium text-accent">
        Restrict models or addresses
      </summary>
      <div className="mt-4 grid gap-5">
        <Field
          label="Models"
          isOptional
          error={errors.allowed_models?.message}
          hint="One per line. claude-haiku-* allows a whole family. Empty: all."
        >
          {(control) => (
            <TextArea
              {...control}
              {...form.register("allowed_models")}
              spellCheck={false}
              placeholder="claude-haiku-*"
              className="font-mono text-sm"
            />
          )}
        </Field>
        <Field
          label="Addresses"
          isOptional
          error={errors.allowed_addresses?.message}
          hint="IP addresses or ranges, one per line. Empty: from everywhere."
        >
          {(control) => (
            <TextArea
              {...control}
              {...form.register("allowed_addresses")}
              spellCheck={false}
              placeholder="10.20.0.0/16"
              className="font-mono text-sm"
            />
          )}
        </Field>
      </div>
    </details>
  );
}

function Review({ values }: { values: KeyValues }) {
  const nameOf = useWorkspaceNames();
  const expires = toExpiry(values.expires_at, Date.now());
  const words = describeKey({
    permission: values.permission,
    workspace: nameOf(values.workspace_id ?? "").name,
    owner: values.owner === "me" ? "you leave" : null,
    models: toLines(values.allowed_models),
    addresses: toLines(values.allowed_addresses),
    expires: expires && formatDay(expires),
  });
  const line = (mark: ReactNode, text: string) => (
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
      </ul>
    </div>
  );
}

/** Keys that no person owns are made by who administers the workspace. */
function useMayMakeWorkspaceKeys(): boolean {
  const session = useSession();
  return (
    ["owner", "admin"].includes(session.member.role) ||
    session.workspaces.some(({ roles }) => roles.includes("workspace_admin"))
  );
}

function toBody(values: KeyValues, memberId: string) {
  const models = toLines(values.allowed_models);
  const addresses = toLines(values.allowed_addresses);
  return {
    name: values.name,
    workspace_id: values.workspace_id ?? "",
    owner_member_id: values.owner === "me" ? memberId : null,
    permissions: [values.permission],
    expires_at: toExpiry(values.expires_at, Date.now()),
    ...(models.length > 0 && { allowed_models: models }),
    ...(addresses.length > 0 && { allowed_addresses: addresses }),
  };
}

function toLines(text: string): string[] {
  return text
    .split(/[\n,]/)
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

function capitalise(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
