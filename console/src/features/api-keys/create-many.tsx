import { type KeyPermission, keyPermissions } from "@bursar/contract/permissions.ts";
import { Download } from "lucide-react";
import { useState } from "react";
import type { Answer } from "../../api-client.ts";
import { useChangeForm } from "../../kit/use-change-form.ts";
import { useWorkspaceNames } from "../../kit/workspaces/queries.ts";
import { Button } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { DialogForm } from "../../ui/dialog-form.tsx";
import { toExpiry } from "../../ui/expiry.ts";
import { toLines } from "../../ui/form.ts";
import { formatPlural } from "../../ui/format.ts";
import { Choices } from "../../ui/input.tsx";
import { LinesField } from "../../ui/lines-field.tsx";
import { saveFile } from "../../ui/save-file.ts";
import { StoredActions } from "../../ui/stored-actions.tsx";
import { ExpiryField, Restrictions } from "./key-fields.tsx";
import { readNames } from "./key-names.ts";
import { useCreateApiKeys } from "./queries.ts";
import { toSecretsCsv } from "./secrets-csv.ts";
import { permissionWords } from "./words.ts";
import { WorkspaceField } from "./workspace-field.tsx";

interface ManyValues {
  names: string;
  workspace_id: string | null;
  permission: KeyPermission;
  expires_at: string;
  allowed_models: string;
  allowed_addresses: string;
}

interface CreateManyProps {
  workspaceId: string | undefined;
  onClose: () => void;
}

/** Creates many keys with the same settings, and then saves their secrets once. */
export function CreateManyDialog({ workspaceId, onClose }: CreateManyProps) {
  const [created, setCreated] = useState<Answer<"createApiKeys"> | null>(null);
  return created === null ? (
    <Dialog
      title="Create API keys"
      description="Up to 500 keys with the same settings: all of them, or none."
      isOpen
      onClose={onClose}
    >
      <ManyForm workspaceId={workspaceId} onCreated={setCreated} />
    </Dialog>
  ) : (
    <SaveSecrets created={created} onDone={onClose} />
  );
}

interface ManyFormProps {
  workspaceId: string | undefined;
  /** Receives the secrets, to save them once. Do not store them. */
  onCreated: (created: Answer<"createApiKeys">) => void;
}

function ManyForm({ workspaceId, onCreated }: ManyFormProps) {
  const defaultValues: ManyValues = {
    names: "",
    workspace_id: workspaceId ?? null,
    permission: "write",
    expires_at: "365",
    allowed_models: "",
    allowed_addresses: "",
  };
  const changeForm = useChangeForm(useCreateApiKeys(), {
    defaultValues,
    toInput: (values, { form }) => {
      const names = readNames(values.names);
      if (typeof names === "string") form.setError("names", { message: names });
      if (values.workspace_id === null) {
        form.setError("workspace_id", { message: "Choose a workspace." });
      }
      if (typeof names === "string" || values.workspace_id === null) return null;
      return { body: toBody({ ...values, names, workspace_id: values.workspace_id }) };
    },
    onSaved: onCreated,
    fieldNames: { permissions: "permission" },
  });
  const { form } = changeForm;
  const { errors } = form.formState;
  const values = form.watch();
  const names = readNames(values.names);
  const count = typeof names === "string" ? 0 : names.length;
  return (
    <DialogForm
      form={changeForm}
      action={count > 0 ? `Create ${formatPlural(count, "key")}` : "Create keys"}
    >
      <LinesField
        label="Names"
        hint="One per line. ci-[1-20] numbers keys: ci-01 to ci-20."
        placeholder="ci-[1-20]"
        error={errors.names?.message}
        {...form.register("names")}
      />
      {workspaceId === undefined && (
        <WorkspaceField
          value={values.workspace_id}
          onChange={(value) => {
            form.setValue("workspace_id", value);
            form.clearErrors("workspace_id");
          }}
          error={errors.workspace_id?.message}
        />
      )}
      <Choices
        legend="Permissions"
        name="permission"
        value={values.permission}
        onChange={(permission) => form.setValue("permission", permission)}
        choices={keyPermissions.map((value) => ({ value, label: permissionWords[value].label }))}
      />
      <ExpiryField
        value={values.expires_at}
        onChange={(choice) => form.setValue("expires_at", choice)}
        error={errors.expires_at?.message}
      />
      <Restrictions
        models={form.register("allowed_models")}
        addresses={form.register("allowed_addresses")}
        errors={errors}
      />
    </DialogForm>
  );
}

function toBody(values: Omit<ManyValues, "names"> & { names: string[]; workspace_id: string }) {
  const models = toLines(values.allowed_models);
  const addresses = toLines(values.allowed_addresses);
  return {
    workspace_id: values.workspace_id,
    names: values.names,
    permissions: [values.permission],
    expires_at: toExpiry(values.expires_at, Date.now()),
    ...(models.length > 0 && { allowed_models: models }),
    ...(addresses.length > 0 && { allowed_addresses: addresses }),
  };
}

interface SaveSecretsProps {
  created: Answer<"createApiKeys">;
  onDone: () => void;
}

/** Saves the secrets as a file. Only its button closes the dialog, after the member confirms that they are stored. */
function SaveSecrets({ created, onDone }: SaveSecretsProps) {
  const [isStored, setIsStored] = useState(false);
  const nameOf = useWorkspaceNames();
  const workspace = nameOf(created.workspace_id).name;
  const save = () => {
    const csv = toSecretsCsv(created.data, workspace);
    saveFile(new Blob([csv], { type: "text/csv" }), "bursar-api-keys.csv");
  };
  return (
    <Dialog
      title={`Store ${formatPlural(created.data.length, "secret")}`}
      description="The secrets are in this file only, once. Bursar stores only their hashes."
      isOpen
      isGuarded
      onClose={onDone}
    >
      <p>
        {formatPlural(created.data.length, "key")} in {workspace}: {created.data[0]?.name}
        {created.data.length > 1 && ` to ${created.data.at(-1)?.name}`}.
      </p>
      <div>
        <Button kind="primary" onClick={save}>
          <Download size={15} /> Save secrets as CSV
        </Button>
      </div>
      <p className="text-sm text-quiet">
        Keep the file in a password store, and delete it from this computer.
      </p>
      <StoredActions
        label="I stored them"
        isStored={isStored}
        onStored={setIsStored}
        onDone={onDone}
      />
    </Dialog>
  );
}
