import { useEffect, useState } from "react";
import { useUpstreams } from "../../kit/upstreams/queries.ts";
import { countFilters, FilterBar } from "../../kit/usage/filter-bar.tsx";
import type { ReportSearch } from "../../kit/usage/search.ts";
import { useMay } from "../../session.ts";
import { Button } from "../../ui/button.tsx";
import { Filter } from "../../ui/combobox.tsx";
import { Input, MoneyInput, Select } from "../../ui/input.tsx";

interface LogFiltersProps {
  search: ReportSearch;
  onChange: (changed: ReportSearch) => void;
}

/** Number of filters with a value. */
export function countLogFilters(search: ReportSearch): number {
  const { cost, doubt, unbilled, cut, served } = search;
  const own = [...idKinds.map((kind) => search[kind]), cost, doubt, unbilled, cut, served];
  return countFilters(search) + own.filter(Boolean).length;
}

/** Filters of the request log, and those that it shares with reports. */
export function RequestFilters({ search, onChange }: LogFiltersProps) {
  const isSearched = Boolean(search.cost) || idKinds.some((kind) => search[kind]);
  return (
    <>
      <IdBox search={search} onChange={onChange} />
      <CostFilter search={search} onChange={onChange} />
      <CostBox value={search.cost ?? ""} onCost={(cost) => onChange({ cost })} />
      {isSearched && (
        <Button kind="quiet" onClick={() => onChange({ ...noIds, cost: "" })}>
          Clear search
        </Button>
      )}
      <UpstreamFilter search={search} onChange={onChange} />
      <FilterBar search={search} onChange={onChange} />
    </>
  );
}

const idKinds = ["request", "upstream", "session", "prompt"] as const;
type IdKind = (typeof idKinds)[number];
const noIds = { request: "", upstream: "", session: "", prompt: "" };

/** Search field that queries on Enter. */
function IdBox({ search, onChange }: LogFiltersProps) {
  const searched = idKinds.find((each) => search[each]) ?? "request";
  const value = search[searched] ?? "";
  const [text, setText] = useState(value);
  const [kind, setKind] = useState<IdKind>(searched);
  useEffect(() => setText(value), [value]);
  const find = (wanted: IdKind) => {
    const id = text.trim();
    if (id === value && wanted === kind) return;
    onChange({ ...noIds, [wanted]: id });
  };
  return (
    <form
      className="flex w-full max-w-sm gap-2"
      onSubmit={(event) => {
        event.preventDefault();
        find(kind);
      }}
    >
      <Select
        aria-label="Id type"
        value={kind}
        onChange={(event) => {
          const wanted = event.target.value as IdKind;
          setKind(wanted);
          if (text.trim() !== "") find(wanted);
        }}
        className="max-sm:w-36 sm:shrink-0"
      >
        <option value="request">Request id</option>
        <option value="upstream">Upstream id</option>
        <option value="session">Agent session (claimed)</option>
        <option value="prompt">Prompt (claimed)</option>
      </Select>
      <Input
        type="search"
        data-search
        aria-label="Find by id"
        placeholder={kind === "request" ? "req_… or its start" : "Full id"}
        value={text}
        maxLength={100}
        spellCheck={false}
        onChange={(event) => setText(event.target.value)}
        onBlur={() => find(kind)}
      />
    </form>
  );
}

/** Filter by upstream. The upstreams are loaded when someone comes to it. */
function UpstreamFilter({ search, onChange }: LogFiltersProps) {
  const { served } = search;
  const may = useMay()("upstreams:read");
  const [isNear, setIsNear] = useState(false);
  const upstreams = useUpstreams(may && (isNear || served !== undefined));
  if (!may && served === undefined) return null;
  const known = upstreams.data?.items ?? [];
  const isKnown = (id: string) => known.some((upstream) => upstream.id === id);
  const others = (served ?? []).filter((id) => !isKnown(id));
  return (
    <Filter
      label="Upstream"
      onNear={() => setIsNear(true)}
      isLoading={upstreams.isLoading}
      values={served ?? []}
      onChange={(values) => onChange({ served: values.length > 0 ? values : undefined })}
      options={[
        ...known.map(({ id, name }) => ({ value: id, label: name })),
        ...others.map((id) => ({ value: id, label: id })),
      ]}
    />
  );
}

/** Search parameters by the value of the choice. */
const costFilters = {
  any: {},
  open: { doubt: "open" },
  all: { doubt: "all" },
  unbilled: { unbilled: true },
  cut: { cut: true },
} satisfies Record<string, Pick<ReportSearch, "doubt" | "unbilled" | "cut">>;

function CostFilter({ search, onChange }: LogFiltersProps) {
  return (
    <Select
      aria-label="Cost"
      value={search.doubt ?? (search.unbilled ? "unbilled" : search.cut ? "cut" : "any")}
      onChange={(event) => {
        const chosen = costFilters[event.target.value as keyof typeof costFilters];
        onChange({ doubt: undefined, unbilled: undefined, cut: undefined, ...chosen });
      }}
    >
      <option value="any">Any cost</option>
      <option value="open">Doubtful, not resolved</option>
      <option value="all">Doubtful</option>
      <option value="unbilled">With unbilled parts</option>
      <option value="cut">Cut by a spend limit</option>
    </Select>
  );
}

function CostBox({ value, onCost }: { value: string; onCost: (cost: string) => void }) {
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  const isAmount = text.trim() === "" || /^\d{1,9}(\.\d{1,9})?$/.test(text.trim());
  const enter = () => isAmount && text.trim() !== value && onCost(text.trim());
  return (
    <form
      className="w-40"
      onSubmit={(event) => {
        event.preventDefault();
        enter();
      }}
    >
      <MoneyInput
        aria-label="Minimum cost"
        aria-invalid={!isAmount}
        placeholder="Minimum"
        value={text}
        onChange={(event) => setText(event.target.value)}
        onBlur={enter}
      />
    </form>
  );
}
