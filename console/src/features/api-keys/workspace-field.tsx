import { useWorkspaces } from "../../kit/workspaces/queries.ts";
import { ColorDot } from "../../ui/color-dot.tsx";
import { Combobox } from "../../ui/combobox.tsx";
import { Field } from "../../ui/field.tsx";

interface WorkspaceFieldProps {
  /** Id of the workspace. Null: not chosen. */
  value: string | null;
  onChange: (id: string | null) => void;
  error: string | undefined;
}

/** Field for the workspace of new keys. */
export function WorkspaceField({ value, onChange, error }: WorkspaceFieldProps) {
  const workspaces = useWorkspaces();
  return (
    <Field label="Workspace" error={error}>
      {(control) => (
        <Combobox
          control={control}
          placeholder="Search workspaces"
          value={value}
          onChange={onChange}
          options={(workspaces.data?.items ?? []).map(({ id, name, display_color }) => ({
            value: id,
            label: name,
            mark: <ColorDot color={display_color} />,
          }))}
        />
      )}
    </Field>
  );
}
