import { accessPaths } from "@bursar/contract/access-paths.ts";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { Download } from "lucide-react";
import { type ReactNode, useMemo } from "react";
import { download } from "../../api-client.ts";
import { GranterCell, HolderCell, LastUsed, ScopeCell } from "../../kit/access/cells.tsx";
import {
  type Access,
  formatAccessScope,
  formatAccessSource,
  formatHolder,
  pathWords,
} from "../../kit/access/words.ts";
import { LoadError } from "../../kit/error-pages.tsx";
import { useMembers } from "../../kit/members/queries.ts";
import { TableTools } from "../../kit/tables/table-tools.tsx";
import { useTableView } from "../../kit/tables/use-table-view.ts";
import { useSaveFile } from "../../kit/use-save-file.ts";
import { useWorkspaces } from "../../kit/workspaces/queries.ts";
import { usePages } from "../../queries.ts";
import { Button } from "../../ui/button.tsx";
import { ColorDot } from "../../ui/color-dot.tsx";
import { Filter } from "../../ui/combobox.tsx";
import { formatPlural } from "../../ui/format.ts";
import { Select } from "../../ui/input.tsx";
import { NarrowFilters } from "../../ui/narrow-filters.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { SearchBox } from "../../ui/search-box.tsx";
import { FormError, SkeletonRows } from "../../ui/states.tsx";
import { type Column, Table } from "../../ui/table.tsx";
import type { Sort } from "../../ui/table-columns.ts";
import { type AccessSearch, toQuery } from "./search.ts";

/** Rows of one request. A company can have tens of thousands. */
const PAGE_SIZE = 200;

/** List of all access, one row for each path. The address has the filters. */
export function AccessTab() {
  const search: AccessSearch = useSearch({ strict: false });
  const navigate = useNavigate();
  const query = useMemo(() => toQuery(search), [search]);
  const access = usePages<"listAccess">("listAccess", { ...query, limit: PAGE_SIZE });
  const view = useTableView();
  const change = (changed: AccessSearch) =>
    void navigate({ to: "/access", search: { ...search, ...changed }, replace: true });
  if (access.error) return <LoadError error={access.error} onRetry={access.refetch} />;
  const { items } = access;
  const people = new Set(items.map(({ member }) => member?.id).filter(Boolean)).size;
  const keys = items.filter(({ key }) => key !== null).length;
  return (
    <div className="grid gap-4">
      <p className="max-w-2xl text-sm text-quiet">
        All current access of members and keys. A member with a company role and a personal key is
        listed twice.
      </p>
      <Filters
        search={search}
        onChange={change}
        tools={<TableTools columns={columns} view={view} />}
      />
      {access.isPending ? (
        <SkeletonRows />
      ) : items.length === 0 ? (
        <p className="border-y border-line py-10 text-center text-quiet">
          No access matches.{" "}
          <button
            type="button"
            className="link"
            onClick={() => void navigate({ to: "/access", search: {}, replace: true })}
          >
            Show all access
          </button>
        </p>
      ) : (
        <Table label="Access" columns={columns} rows={items} rowKey={(row) => row.id} view={view} />
      )}
      {items.length > 0 && (
        <p className="text-sm text-quiet">
          {formatPlural(items.length, "access", "accesses")} of{" "}
          {formatPlural(people, "person", "people")} and {formatPlural(keys, "key")}
          {access.hasOlder ? describeNewest(view.sort) : "."}
        </p>
      )}
      {access.hasOlder && (
        <div>
          <Button isBusy={access.isLoadingOlder} onClick={access.loadOlder}>
            Show older access
          </Button>
        </div>
      )}
    </div>
  );
}

/** The order of a column applies to loaded rows, because a page of the server is always the next older one. */
function describeNewest(sort: Sort | null): string {
  const header = columns.find(({ id }) => id === sort?.id)?.header;
  const order = header === undefined ? "" : ` Only these are ordered by “${header}”.`;
  return `, the newest.${order} Filters, search and file cover all of them.`;
}

const unusedChoices = [30, 60, 90, 180, 365] as const;

interface FiltersProps {
  search: AccessSearch;
  onChange: (changed: AccessSearch) => void;
  tools: ReactNode;
}

function Filters({ search, onChange, tools }: FiltersProps) {
  const workspaces = useWorkspaces();
  const members = useMembers();
  const { path = [], workspace, member, unused } = search;
  const count = [path.join(","), workspace, member, unused].filter(Boolean).length;
  return (
    <div className="flex flex-wrap items-center gap-2.5">
      <SearchBox
        label="Search access"
        placeholder="Search members and keys"
        value={search.find ?? ""}
        onFind={(find) => onChange({ find })}
      />
      <NarrowFilters count={count}>
        <Filter
          label="Path"
          values={search.path ?? []}
          onChange={(values) =>
            onChange({ path: accessPaths.filter((path) => values.includes(path)) })
          }
          options={accessPaths.map((path) => ({ value: path, label: pathWords[path].label }))}
        />
        <OneFilter
          label="Workspace"
          value={search.workspace}
          onChange={(workspace) => onChange({ workspace })}
          options={(workspaces.data?.items ?? []).map(({ id, name, display_color }) => ({
            value: id,
            label: name,
            mark: <ColorDot color={display_color} />,
          }))}
        />
        <OneFilter
          label="Member"
          value={search.member}
          onChange={(member) => onChange({ member })}
          options={(members.data?.items ?? []).map(({ id, name, email }) => ({
            value: id,
            label: name,
            note: email,
          }))}
        />
        <Select
          aria-label="Not used"
          className="w-44"
          value={search.unused ?? ""}
          onChange={({ target }) =>
            onChange({ unused: target.value === "" ? undefined : Number(target.value) })
          }
        >
          <option value="">Any use</option>
          {[...new Set([...unusedChoices, ...(search.unused ? [search.unused] : [])])]
            .sort((a, b) => a - b)
            .map((days) => (
              <option key={days} value={days}>
                Unused for {formatPlural(days, "day")}
              </option>
            ))}
        </Select>
      </NarrowFilters>
      <span className="ml-auto flex flex-wrap items-center gap-2.5">
        {tools}
        <SaveCsv search={search} />
      </span>
    </div>
  );
}

interface OneFilterProps {
  label: string;
  value: string | undefined;
  onChange: (value: string | undefined) => void;
  options: Parameters<typeof Filter>[0]["options"];
}

/** Filter with a single value. Another choice replaces it. */
function OneFilter({ label, value, onChange, options }: OneFilterProps) {
  return (
    <Filter
      label={label}
      values={value === undefined ? [] : [value]}
      onChange={(values) => onChange(values.find((each) => each !== value))}
      options={options}
    />
  );
}

/** Button that exports all filtered entries. */
function SaveCsv({ search }: { search: AccessSearch }) {
  const { busy, error, save } = useSaveFile<"csv">();
  const load = () => download("exportAccess", { query: { ...toQuery(search), format: "csv" } });
  return (
    <>
      <FormError error={error} />
      <Button isBusy={busy !== null} onClick={() => void save("csv", load)}>
        <Download size={15} /> Save as CSV
      </Button>
    </>
  );
}

const columns: Column<Access>[] = [
  {
    id: "who",
    header: "Member or key",
    sortBy: formatHolder,
    cell: (row) => <HolderCell access={row} />,
  },
  {
    id: "reach",
    header: "Scope",
    sortBy: (row) => `${formatAccessScope(row)} ${formatAccessSource(row)}`,
    cell: (row) => <ScopeCell access={row} />,
  },
  {
    id: "path",
    header: "Path",
    from: "lg",
    isBelow: true,
    sortBy: (row) => pathWords[row.path].label,
    cell: (row) => <span className="whitespace-nowrap">{pathWords[row.path].label}</span>,
  },
  {
    id: "given",
    header: "Granted",
    from: "lg",
    sortBy: (row) => row.granted_at,
    cell: (row) => <GranterCell access={row} />,
  },
  {
    id: "expires",
    header: "Expires",
    from: "lg",
    sortBy: (row) => row.expires_at ?? "9999",
    cell: (row) => <RelativeTime at={row.expires_at} absent={row.key ? "Never" : "–"} />,
  },
  {
    id: "used",
    header: "Last used",
    from: "sm",
    isBelow: true,
    isNumeric: true,
    sortBy: (row) => row.last_used_at ?? "",
    cell: (row) => <LastUsed access={row} />,
  },
];
