import { ColorDot } from "../../ui/color-dot.tsx";
import { Combobox } from "../../ui/combobox.tsx";
import { Field } from "../../ui/field.tsx";
import type { PersonalKeyWorkspace } from "./queries.ts";

interface WorkspaceChoiceProps {
  workspaces: readonly PersonalKeyWorkspace[];
  value: string;
  hint?: string;
  error?: string | undefined;
  onChange: (workspace: PersonalKeyWorkspace) => void;
}

/** Field for a workspace in which the member can create a key. */
export function WorkspaceChoice({
  workspaces,
  value,
  hint,
  error,
  onChange,
}: WorkspaceChoiceProps) {
  return (
    <Field label="Workspace" hint={hint} error={error}>
      {(control) => (
        <Combobox
          control={control}
          placeholder="Search workspaces"
          value={value}
          onChange={(id) => {
            const chosen = workspaces.find((workspace) => workspace.id === id);
            if (chosen) onChange(chosen);
          }}
          options={workspaces.map(({ id, name, display_color }) => ({
            value: id,
            label: name,
            mark: <ColorDot color={display_color} />,
          }))}
        />
      )}
    </Field>
  );
}
