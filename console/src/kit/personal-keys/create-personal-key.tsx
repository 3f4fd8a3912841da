import type { UseFormReturn } from "react-hook-form";
import type { Answer } from "../../api-client.ts";
import { useSession } from "../../session.ts";
import { Dialog } from "../../ui/dialog.tsx";
import { DialogForm } from "../../ui/dialog-form.tsx";
import { expiryChoices, toExpiry } from "../../ui/expiry.ts";
import { Field } from "../../ui/field.tsx";
import { needed, toLines } from "../../ui/form.ts";
import { formatPlural } from "../../ui/format.ts";
import { Input, Select } from "../../ui/input.tsx";
import { LinesField } from "../../ui/lines-field.tsx";
import { useChangeForm } from "../use-change-form.ts";
import { type PersonalKeyWorkspace, useCreatePersonalKey } from "./queries.ts";
import { WorkspaceChoice } from "./workspace-choice.tsx";

export type CreatedPersonalKey = Answer<"createPersonalKey">;

interface Values {
  name: string;
  workspace_id: string;
  expiry: string;
  /** One origin per line. */
  allowed_origins: string;
}

/** Value of the longest lifetime that the workspace allows. */
const LONGEST = "longest";
const USUAL_DAYS = 365;

interface CreateProps {
  workspaces: readonly PersonalKeyWorkspace[];
  /** Models that the member's groups allow. Null: all models. */
  groupModels: readonly string[] | null;
  onClose: () => void;
  /** Receives the key with its secret, to show it once. Do not store it. */
  onCreated: (key: CreatedPersonalKey) => void;
}

/** Form for a key of one's own. Everything has a usual value. */
export function CreatePersonalKeyDialog(props: CreateProps) {
  const { workspaces, groupModels, onClose, onCreated } = props;
  const { member } = useSession();
  const first = workspaces.find(isOpen) ?? workspaces[0];
  const defaultValues: Values = {
    name: `${member.name.split(" ")[0] ?? member.name}’s key`,
    workspace_id: first?.id ?? "",
    expiry: first ? usualExpiry(first) : LONGEST,
    allowed_origins: "",
  };
  const changeForm = useChangeForm(useCreatePersonalKey(), {
    defaultValues,
    toInput: ({ name, workspace_id, expiry, allowed_origins }) => {
      const origins = toLines(allowed_origins);
      return {
        body: {
          name,
          workspace_id,
          ...(expiry !== LONGEST && { expires_at: toExpiry(expiry, Date.now()) }),
          ...(origins.length > 0 && { allowed_origins: origins }),
        },
      };
    },
    onSaved: onCreated,
    fieldNames: { expires_at: "expiry" },
  });
  const { form } = changeForm;
  const { workspace_id } = form.watch();
  const chosen = workspaces.find(({ id }) => id === workspace_id);
  return (
    <Dialog
      title="Create your key"
      description="The key is yours, and stops working when you leave."
      isOpen
      onClose={onClose}
    >
      <DialogForm form={changeForm} action="Create key" isDisabled={!chosen || !isOpen(chosen)}>
        <Field
          label="Name"
          hint="The program or computer that uses the key."
          error={form.formState.errors.name?.message}
        >
          {(control) => (
            <Input
              {...control}
              {...form.register("name", needed("Enter a name."))}
              maxLength={100}
            />
          )}
        </Field>
        <div className="grid gap-5 sm:grid-cols-2">
          <WorkspaceChoice
            workspaces={workspaces}
            value={workspace_id}
            error={form.formState.errors.workspace_id?.message}
            onChange={(workspace) => {
              form.setValue("workspace_id", workspace.id, { shouldDirty: true });
              form.setValue("expiry", usualExpiry(workspace));
            }}
          />
          {chosen && <ExpiryChoice form={form} workspace={chosen} />}
        </div>
        <BrowserPages form={form} />
        {chosen && <Rules workspace={chosen} groupModels={groupModels} />}
      </DialogForm>
    </Dialog>
  );
}

interface FieldProps {
  form: UseFormReturn<Values>;
}

function ExpiryChoice({ form, workspace }: FieldProps & { workspace: PersonalKeyWorkspace }) {
  const maxDays = workspace.max_lifetime_days;
  const choices = expiryChoices.filter(
    ([choice]) => maxDays === null || (choice !== "never" && Number(choice) < maxDays),
  );
  return (
    <Field label="Expiry" error={form.formState.errors.expiry?.message}>
      {(control) => (
        <Select {...control} {...form.register("expiry")}>
          {choices.map(([choice, label]) => (
            <option key={choice} value={choice}>
              {label}
            </option>
          ))}
          {maxDays !== null && (
            <option value={LONGEST}>In {formatPlural(maxDays, "day")} (longest)</option>
          )}
        </Select>
      )}
    </Field>
  );
}

/** Origins of pages, closed until the member needs them. A refusal opens the field. */
function BrowserPages({ form }: FieldProps) {
  const error = form.formState.errors.allowed_origins?.message;
  return (
    <details className="group" open={error !== undefined || undefined}>
      <summary className="target w-fit rounded-sm text-sm font-medium text-accent">
        Browser pages
      </summary>
      <div className="mt-4">
        <LinesField
          label="Origins"
          hint="Origins whose pages can use the key, one per line. Each reader of a page can copy its key. Empty: none."
          placeholder="https://app.example.com"
          error={error}
          {...form.register("allowed_origins")}
        />
      </div>
    </details>
  );
}

interface RulesProps {
  workspace: PersonalKeyWorkspace;
  groupModels: readonly string[] | null;
}

/** Rules of the workspace and the member's groups for the key. */
function Rules({ workspace, groupModels }: RulesProps) {
  const { name, role, allowed_models, max_keys, keys } = workspace;
  const rules = [
    role === null && `The key makes you a member of ${name}.`,
    allowed_models && `${name} allows ${allowed_models.join(", ")}.`,
    groupModels && `Your groups allow ${groupModels.join(", ")}.`,
    max_keys !== null && `You have ${keys} of ${formatPlural(max_keys, "key")} in ${name}.`,
    !isOpen(workspace) && "Revoke a key before you create another one.",
  ].filter((rule) => rule !== false && rule !== null);
  if (rules.length === 0) return null;
  return (
    <ul className="grid gap-1 text-sm text-quiet">
      {rules.map((rule) => (
        <li key={rule}>{rule}</li>
      ))}
    </ul>
  );
}

/** Whether the member can have another key there. */
function isOpen({ max_keys, keys }: PersonalKeyWorkspace): boolean {
  return max_keys === null || keys < max_keys;
}

function usualExpiry({ max_lifetime_days }: PersonalKeyWorkspace): string {
  return max_lifetime_days !== null && max_lifetime_days <= USUAL_DAYS
    ? LONGEST
    : String(USUAL_DAYS);
}
