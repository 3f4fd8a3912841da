import { useWorkspaces } from "../../kit/workspaces/queries.ts";
import { useMay, useMayEverywhere } from "../../session.ts";
import { Select } from "../../ui/input.tsx";
import type { StatementSearch } from "./search.ts";

/** Workspaces whose statements the member may see. */
function useStatementWorkspaces() {
  const may = useMay();
  const workspaces = useWorkspaces({ withArchived: true });
  return (workspaces.data?.items ?? []).filter(({ id }) => may("statements:read", id));
}

/**
 * Scope of the address. Members without the right in the whole company get their first workspace. Null: it is unknown
 * until the workspaces have loaded.
 */
export function useVisibleScope(search: StatementSearch): StatementSearch | null {
  const mayEverywhere = useMayEverywhere()("statements:read");
  const [first] = useStatementWorkspaces();
  if (mayEverywhere || search.workspace !== undefined) return search;
  return first === undefined ? null : { ...search, workspace: first.id };
}

const WHOLE = "";

interface ScopeSelectProps {
  search: StatementSearch;
  onSearch: (next: StatementSearch) => void;
}

/** Selects the whole company or one workspace. */
export function ScopeSelect({ search, onSearch }: ScopeSelectProps) {
  const mayEverywhere = useMayEverywhere()("statements:read");
  const workspaces = useStatementWorkspaces();
  return (
    <Select
      aria-label="Scope"
      className="w-fit"
      value={search.workspace ?? WHOLE}
      onChange={({ target }) => onSearch(target.value === WHOLE ? {} : { workspace: target.value })}
    >
      {mayEverywhere && <option value={WHOLE}>Whole company</option>}
      {workspaces.map(({ id, name }) => (
        <option key={id} value={id}>
          {name}
        </option>
      ))}
    </Select>
  );
}
