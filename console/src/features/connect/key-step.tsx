import { Link } from "@tanstack/react-router";
import { Plus } from "lucide-react";
import { useState } from "react";
import type { Answer } from "../../api-client.ts";
import { ApiKeySecretDialog } from "../../kit/api-keys/secret-dialog.tsx";
import { CreatePersonalKeyDialog } from "../../kit/personal-keys/create-personal-key.tsx";
import { NoWorkspace } from "../../kit/personal-keys/no-workspace.tsx";
import { useWorkspaceNames } from "../../kit/workspaces/queries.ts";
import { useMay } from "../../session.ts";
import { Button } from "../../ui/button.tsx";
import { Field } from "../../ui/field.tsx";
import { Select } from "../../ui/input.tsx";
import { Section } from "../../ui/page.tsx";
import type { KeyChoice } from "./use-key-choice.ts";

interface KeyStepProps {
  choice: KeyChoice;
  options: Answer<"getPersonalKeyOptions">;
}

/** Creates or chooses the key in the code. Without a way to a key, it names people to ask. */
export function KeyStep({ choice, options }: KeyStepProps) {
  const { workspaces, group_models: groupModels, contacts } = options;
  const { chosen, secret, isStored, onCreated, onStored } = choice;
  const [isCreating, setIsCreating] = useState(false);
  const canCreate = workspaces.length > 0;
  if (chosen === null && !canCreate) return <NoWorkspace contacts={contacts} />;
  return (
    <Section
      title="Key"
      lead={<KeyHint hasKey={chosen !== null} />}
      actions={
        canCreate && (
          <Button
            kind={chosen === null ? "primary" : "plain"}
            data-create
            onClick={() => setIsCreating(true)}
          >
            <Plus size={16} /> Create your key…
          </Button>
        )
      }
    >
      {chosen && <KeyField choice={choice} />}
      {isCreating && (
        <CreatePersonalKeyDialog
          workspaces={workspaces}
          groupModels={groupModels}
          onClose={() => setIsCreating(false)}
          onCreated={(key) => {
            setIsCreating(false);
            onCreated(key);
          }}
        />
      )}
      <ApiKeySecretDialog secret={isStored ? null : secret} onDone={onStored} />
    </Section>
  );
}

function KeyHint({ hasKey }: { hasKey: boolean }) {
  const may = useMay();
  const page = may("api_keys:write") ? "/api-keys" : "/personal-keys";
  return (
    <>
      {hasKey
        ? "A lost secret cannot be shown again. Rotate the key, or create another one."
        : "Your key belongs to a workspace. Its requests count as yours."}{" "}
      {(hasKey || page === "/api-keys") && (
        <Link to={page} className="link">
          {page === "/api-keys" ? "Keys for programs of a team" : "Personal keys"}
        </Link>
      )}
    </>
  );
}

function KeyField({ choice: { keys = [], chosen, onChoose } }: { choice: KeyChoice }) {
  const nameWorkspace = useWorkspaceNames();
  return (
    <div className="max-w-md">
      <Field label="Key in the code">
        {(control) => (
          <Select
            {...control}
            value={chosen?.id}
            onChange={(event) => onChoose(event.target.value)}
          >
            {keys.map(({ id, name, workspace_id }) => (
              <option key={id} value={id}>
                {name}, {nameWorkspace(workspace_id).name}
              </option>
            ))}
          </Select>
        )}
      </Field>
    </div>
  );
}
