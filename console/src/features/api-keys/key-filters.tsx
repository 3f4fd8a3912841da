import { keyPermissions } from "@bursar/contract/permissions.ts";
import type { ApiKey } from "../../kit/api-keys/queries.ts";
import { useWorkspaces } from "../../kit/workspaces/queries.ts";
import { ColorDot } from "../../ui/color-dot.tsx";
import { Filter } from "../../ui/combobox.tsx";
import type { ApiKeysSearch } from "./search.ts";
import { permissionWords } from "./words.ts";

interface KeyFiltersProps {
  search: ApiKeysSearch;
  onChange: (changed: ApiKeysSearch) => void;
  /** Keys of the list, whose owners can be chosen. */
  apiKeys: readonly ApiKey[];
  isOneWorkspace: boolean;
}

/** Value of keys without an owner. */
const OF_WORKSPACE = "workspace";

/** Filters by workspace, owner and permission. The address has the choices. */
export function KeyFilters({ search, onChange, apiKeys, isOneWorkspace }: KeyFiltersProps) {
  const workspaces = useWorkspaces();
  return (
    <>
      {!isOneWorkspace && (
        <Filter
          label="Workspace"
          values={search.workspaces?.split(",") ?? []}
          onChange={(values) => onChange({ workspaces: values.join(",") || undefined })}
          options={(workspaces.data?.items ?? []).map(({ id, name, display_color }) => ({
            value: id,
            label: name,
            mark: <ColorDot color={display_color} />,
          }))}
        />
      )}
      <Filter
        label="Owner"
        values={search.owners?.split(",") ?? []}
        onChange={(values) => onChange({ owners: values.join(",") || undefined })}
        options={listOwners(apiKeys)}
      />
      <Filter
        label="Permission"
        values={search.permissions ?? []}
        onChange={(values) =>
          onChange({ permissions: keyPermissions.filter((each) => values.includes(each)) })
        }
        options={keyPermissions.map((value) => ({ value, label: permissionWords[value].label }))}
      />
    </>
  );
}

/** Number of filters with a value. */
export function countKeyFilters({ workspaces, owners, permissions }: ApiKeysSearch): number {
  return [workspaces, owners, permissions?.join(",")].filter(Boolean).length;
}

function listOwners(apiKeys: readonly ApiKey[]) {
  const people = new Map<string, { value: string; label: string; note?: string }>();
  for (const { owner } of apiKeys) {
    if (owner.type !== "member" || people.has(owner.id)) continue;
    people.set(owner.id, { value: owner.id, label: owner.name || owner.email, note: owner.email });
  }
  const sorted = [...people.values()].sort((a, b) => a.label.localeCompare(b.label));
  return [{ value: OF_WORKSPACE, label: "The workspace" }, ...sorted];
}

/** Chosen values of each filter, separated by commas. Undefined: all. */
export interface ListFilters {
  workspaces: string | undefined;
  owners: string | undefined;
  permissions: string | undefined;
}

/** Returns a check whether a key passes the filters. */
export function makeKeyFilter(filters: ListFilters): (key: ApiKey) => boolean {
  const [workspaces, owners, permissions] = [
    filters.workspaces,
    filters.owners,
    filters.permissions,
  ].map((text) => (text === undefined ? null : new Set(text.split(","))));
  return (key) =>
    (!workspaces || workspaces.has(key.workspace_id)) &&
    (!owners || owners.has(key.owner.type === "member" ? key.owner.id : OF_WORKSPACE)) &&
    (!permissions || key.permissions.some((each) => permissions.has(each)));
}
