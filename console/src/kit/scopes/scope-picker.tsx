import { useList } from "../../queries.ts";
import { useMay } from "../../session.ts";
import { Combobox } from "../../ui/combobox.tsx";
import { Field } from "../../ui/field.tsx";
import { Select } from "../../ui/input.tsx";
import { useWorkspaces } from "../workspaces/queries.ts";
import type { Scope } from "./scope.ts";

type ScopeType = Scope["type"];

interface ScopePickerProps {
  label: string;
  /** Selectable kinds of scope, with their labels. */
  types: readonly (readonly [type: ScopeType, label: string])[];
  scopeType: ScopeType;
  scopeId: string | null;
  /** Workspace of this page. Only it and its keys can be selected. */
  workspaceId?: string | undefined;
  /** Selects the workspaces that are listed. Default: all. */
  mayChoose?: (workspaceId: string) => boolean;
  error: string | undefined;
  onType: (type: ScopeType) => void;
  onId: (id: string | null) => void;
}

/** Two form fields that select the organization, a workspace or a key. */
export function ScopePicker(props: ScopePickerProps) {
  const { label, types, scopeType, scopeId, workspaceId, mayChoose = () => true, error } = props;
  const may = useMay();
  const workspaces = useWorkspaces();
  const keys = useList(
    "listApiKeys",
    { query: workspaceId === undefined ? {} : { workspace_id: workspaceId } },
    { isEnabled: may("api_keys:read", workspaceId) },
  );
  const options =
    scopeType === "workspace"
      ? (workspaces.data?.items ?? [])
          .filter(({ id }) => mayChoose(id))
          .map(({ id, name }) => ({ value: id, label: name }))
      : (keys.data?.items ?? [])
          .filter(({ status }) => status !== "archived")
          .map(({ id, name, partial_key_hint }) => ({
            value: id,
            label: name,
            note: partial_key_hint.slice(-4),
          }));
  const hasChoice =
    scopeType === "api_key" || (scopeType === "workspace" && workspaceId === undefined);
  return (
    <>
      <Field label={label}>
        {(control) => (
          <Select
            {...control}
            value={scopeType}
            onChange={({ target }) => props.onType(target.value as ScopeType)}
          >
            {types.map(([type, words]) => (
              <option key={type} value={type}>
                {words}
              </option>
            ))}
          </Select>
        )}
      </Field>
      {hasChoice && (
        <Field label={scopeType === "workspace" ? "Workspace" : "Key"} error={error}>
          {(control) => (
            <Combobox
              control={control}
              options={options}
              value={scopeId}
              onChange={props.onId}
              placeholder="Search"
            />
          )}
        </Field>
      )}
    </>
  );
}

/** Scope for the API. Null: no workspace or key is selected yet. */
export function toScope({
  scopeType,
  scopeId,
}: {
  scopeType: ScopeType;
  scopeId: string | null;
}): Scope | null {
  if (scopeType === "organization") return { type: "organization" };
  if (scopeId === null) return null;
  return scopeType === "workspace"
    ? { type: "workspace", workspace_id: scopeId }
    : { type: "api_key", api_key_id: scopeId };
}
