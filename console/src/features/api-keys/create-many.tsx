import { Download } from "lucide-react";
import { useState } from "react";
import type { Answer } from "../../api-client.ts";
import { useChangeForm } from "../../kit/use-change-form.ts";
import { useWorkspaceNames } from "../../kit/workspaces/queries.ts";
import { useSession } from "../../session.ts";
import { Button } from "../../ui/button.tsx";
import { Dialog, DialogActions } from "../../ui/dialog.tsx";
import { DialogForm } from "../../ui/dialog-form.tsx";
import { formatDay, formatPlural } from "../../ui/format.ts";
import { LinesField } from "../../ui/lines-field.tsx";
import { saveFile } from "../../ui/save-file.ts";
import { StoredActions } from "../../ui/stored-actions.tsx";
import { readNames } from "./key-names.ts";
import {
  checkChoices,
  KeySettings,
  keyFieldNames,
  toSettings,
  useDefaultValues,
} from "./key-settings.tsx";
import { useCreateApiKeys } from "./queries.ts";
import { toSecretsCsv } from "./secrets-csv.ts";

interface CreateManyProps {
  workspaceId: string | undefined;
  onClose: () => void;
}

/** Creates many keys with the same settings, and then saves their secrets once. */
export function CreateManyDialog({ workspaceId, onClose }: CreateManyProps) {
  const [created, setCreated] = useState<Answer<"createApiKeys"> | null>(null);
  if (created !== null) {
    const waiting = created.data[0]?.waiting_secret ?? null;
    return waiting === null ? (
      <SaveSecrets created={created} onDone={onClose} />
    ) : (
      <HandedOver count={created.data.length} until={waiting.expires_at} onDone={onClose} />
    );
  }
  return (
    <Dialog
      title="Create many keys"
      description="Up to 500 keys with the same settings: all of them, or none."
      isOpen
      onClose={onClose}
    >
      <ManyForm workspaceId={workspaceId} onCreated={setCreated} />
    </Dialog>
  );
}

interface ManyFormProps {
  workspaceId: string | undefined;
  /** Receives the secrets, to save them once. Do not store them. */
  onCreated: (created: Answer<"createApiKeys">) => void;
}

function ManyForm({ workspaceId, onCreated }: ManyFormProps) {
  const { member } = useSession();
  const changeForm = useChangeForm(useCreateApiKeys(), {
    defaultValues: useDefaultValues(workspaceId),
    toInput: (values, { form }) => {
      const names = readNames(values.name);
      const isComplete = checkChoices(values, form);
      if (typeof names !== "string" && isComplete) {
        return { body: { names, ...toSettings(values, member.id) } };
      }
      if (typeof names === "string") form.setError("name", { message: names });
      return null;
    },
    onSaved: onCreated,
    fieldNames: keyFieldNames,
  });
  const { form } = changeForm;
  const names = readNames(form.watch("name"));
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
        error={form.formState.errors.name?.message}
        {...form.register("name")}
      />
      <KeySettings form={form} workspaceId={workspaceId} />
    </DialogForm>
  );
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

interface HandedOverProps {
  count: number;
  /** End of the time in which the owner can show the secrets. */
  until: string;
  onDone: () => void;
}

/** Tells the creator that the secrets of another member's keys wait for that member. */
function HandedOver({ count, until, onDone }: HandedOverProps) {
  return (
    <Dialog
      title={`${formatPlural(count, "key")} created`}
      description="The owner gets one e-mail, and shows each secret once on the page Your account."
      isOpen
      onClose={onDone}
    >
      <p>A secret that is not shown by {formatDay(until)} is deleted.</p>
      <DialogActions>
        <Button kind="primary" onClick={onDone}>
          Done
        </Button>
      </DialogActions>
    </Dialog>
  );
}
