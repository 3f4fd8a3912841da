import { useList } from "../../queries.ts";
import { useMay } from "../../session.ts";
import { Combobox } from "../../ui/combobox.tsx";
import { Field } from "../../ui/field.tsx";
import { Select } from "../../ui/input.tsx";
import { useMembers } from "../members/queries.ts";
import { useWorkspaces } from "../workspaces/queries.ts";
import type { CountedScope, OwnScope, Scope } from "./scope.ts";

type ScopeType = Scope["type"];

interface ScopePickerProps<Type extends ScopeType> {
  label: string;
  /** Selectable kinds of scope, with their labels. */
  types: readonly (readonly [type: Type, label: string])[];
  scopeType: Type;
  scopeId: string | null;
  /** Workspace of this page. Only it and its keys can be selected. */
  workspaceId?: string | undefined;
  /** Selects the workspaces that are listed. Default: all. */
  mayChoose?: (workspaceId: string) => boolean;
  /** Options for members, groups and tags. Default: those that the person can see. */
  people?: readonly PersonOption[];
  error: string | undefined;
  onType: (type: Type) => void;
  onId: (id: string | null) => void;
}

/** Member, group or tag that can be selected. */
export interface PersonOption {
  type: ScopeType;
  id: string;
  label: string;
}

/** Form fields that select a scope: its kind, and which one. */
export function ScopePicker<Type extends ScopeType>(props: ScopePickerProps<Type>) {
  const { label, types, scopeType, scopeId, workspaceId, mayChoose = () => true, error } = props;
  const { people } = props;
  const options = useOptions({ scopeType, workspaceId, mayChoose, people });
  const hasChoice =
    scopeType !== "organization" && (scopeType !== "workspace" || workspaceId === undefined);
  return (
    <>
      <Field label={label}>
        {(control) => (
          <Select
            {...control}
            value={scopeType}
            onChange={({ target }) => props.onType(target.value as Type)}
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
        <Field label={fieldLabels[scopeType]} error={error}>
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

const fieldLabels: Record<ScopeType, string> = {
  organization: "Company",
  workspace: "Workspace",
  api_key: "Key",
  member: "Member",
  group: "Group",
  tag: "Tag",
  group_member: "Group",
};

interface Options {
  scopeType: ScopeType;
  workspaceId: string | undefined;
  mayChoose: (workspaceId: string) => boolean;
  people: readonly PersonOption[] | undefined;
}

function useOptions({ scopeType, workspaceId, mayChoose, people }: Options) {
  const may = useMay();
  const workspaces = useWorkspaces();
  const canSeeKeys = may("api_keys:read", workspaceId);
  const visibleKeys = useList(
    "listApiKeys",
    { query: workspaceId === undefined ? {} : { workspace_id: workspaceId } },
    { isEnabled: canSeeKeys },
  );
  // Other members can still select a key of their own.
  const ownKeys = useList("listPersonalKeys", {}, { isEnabled: !canSeeKeys });
  const keys = canSeeKeys ? visibleKeys : ownKeys;
  const isAsked = people === undefined;
  const isMember = isAsked && scopeType === "member";
  const isGroup = isAsked && (scopeType === "group" || scopeType === "group_member");
  const members = useMembers(false, isMember && may("members:read"));
  const isTag = isAsked && scopeType === "tag";
  const groups = useList("listGroups", {}, { isEnabled: isGroup && may("groups:read") });
  const tags = useList("listTags", {}, { isEnabled: isTag && may("workspaces:read") });
  if (scopeType === "workspace") {
    return (workspaces.data?.items ?? [])
      .filter(({ id }) => mayChoose(id))
      .map(({ id, name }) => ({ value: id, label: name }));
  }
  if (people && scopeType !== "api_key") {
    const given = people.filter(({ type }) => type === scopeType);
    return given.map(({ id, label }) => ({ value: id, label }));
  }
  if (isMember) {
    return (members.data?.items ?? []).map(({ id, name, email }) => ({
      value: id,
      label: name || email,
      note: name ? email : "",
    }));
  }
  if (isGroup) {
    return (groups.data?.items ?? []).map(({ id, name }) => ({ value: id, label: name }));
  }
  if (isTag) {
    return (tags.data?.items ?? []).map(({ id, name, value }) => ({
      value: id,
      label: `${name}: ${value}`,
    }));
  }
  return (keys.data?.items ?? [])
    .filter(({ status }) => status !== "archived")
    .map(({ id, name, partial_key_hint }) => ({
      value: id,
      label: name,
      note: partial_key_hint.slice(-4),
    }));
}

interface Chosen<Type extends ScopeType> {
  scopeType: Type;
  scopeId: string | null;
}

/** Scope for the API. Null: none is selected yet. */
export function toScope(chosen: Chosen<OwnScope["type"]>): OwnScope | null;
export function toScope(chosen: Chosen<CountedScope["type"]>): CountedScope | null;
export function toScope(chosen: Chosen<ScopeType>): Scope | null;
export function toScope({ scopeType, scopeId }: Chosen<ScopeType>): Scope | null {
  if (scopeType === "organization") return { type: "organization" };
  if (scopeId === null) return null;
  switch (scopeType) {
    case "workspace":
      return { type: "workspace", workspace_id: scopeId };
    case "api_key":
      return { type: "api_key", api_key_id: scopeId };
    case "member":
      return { type: "member", member_id: scopeId };
    case "group":
      return { type: "group", group_id: scopeId };
    case "tag":
      return { type: "tag", tag_id: scopeId };
    case "group_member":
      return { type: "group_member", group_id: scopeId };
  }
}
