import { useEffect, useMemo, useState } from "react";
import { LoadError } from "../../kit/error-pages.tsx";
import { RefusalTable } from "../../kit/requests/refusal-table.tsx";
import { nameCause } from "../../kit/requests/refusal-words.ts";
import { countFilters, PlaceFilters, RangeBar } from "../../kit/usage/filter-bar.tsx";
import { LiveToggle } from "../../kit/usage/live.tsx";
import type { ReportSearch } from "../../kit/usage/search.ts";
import { Button } from "../../ui/button.tsx";
import { CodeBlock } from "../../ui/code-block.tsx";
import { formatCount } from "../../ui/format.ts";
import { Input } from "../../ui/input.tsx";
import { NarrowFilters } from "../../ui/narrow-filters.tsx";
import { Page } from "../../ui/page.tsx";
import { EmptyState, SkeletonRows } from "../../ui/states.tsx";
import { LogKind } from "./log-kind.tsx";
import { toRefusalsQuery } from "./log-query.ts";
import { useRefusalCounts, useRefusals } from "./queries.ts";

interface RefusedProps {
  search: ReportSearch;
  onChange: (changed: ReportSearch) => void;
  onClear: () => void;
}

/** Requests that this server itself answered with an error, newest first, with their causes. */
export function RefusedRequestsPage({ search, onChange, onClear }: RefusedProps) {
  const isLive = search.live === true;
  return (
    <Page
      title="Requests"
      guide="refused-requests"
      lead="Requests that Bursar itself answered with an error. The list has the last 100 of each key from the last 30 days. The counts include all."
    >
      <div className="grid gap-4">
        <div className="no-print flex flex-wrap items-center gap-2.5">
          <LogKind search={search} onChange={onChange} />
          <RangeBar search={search} onChange={onChange} fallback={null} />
          <LiveToggle
            isLive={isLive}
            onChange={(on) => onChange({ live: on || undefined, at: undefined })}
          />
        </div>
        <div className="no-print flex flex-wrap items-center gap-2.5">
          <NarrowFilters count={countFilters(search) + (search.request ? 1 : 0)}>
            <IdBox
              value={search.request ?? ""}
              onFind={(request) => onChange({ request: request || undefined })}
            />
            <PlaceFilters search={search} onChange={onChange} />
          </NarrowFilters>
        </div>
        <Causes search={search} onChange={onChange} isLive={isLive} />
        <RefusalList search={search} isLive={isLive} onClear={onClear} />
      </div>
    </Page>
  );
}

/** Search field that queries on Enter. */
function IdBox({ value, onFind }: { value: string; onFind: (id: string) => void }) {
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  const find = () => text.trim() !== value && onFind(text.trim());
  return (
    <form
      className="w-full sm:max-w-64"
      onSubmit={(event) => {
        event.preventDefault();
        find();
      }}
    >
      <Input
        type="search"
        data-search
        aria-label="Find by request id"
        placeholder="req_… or its start"
        value={text}
        maxLength={100}
        spellCheck={false}
        onChange={(event) => setText(event.target.value)}
        onBlur={find}
      />
    </form>
  );
}

/** Query with a fixed start time, which changes only with the filters. */
function useRefusalsQuery(search: ReportSearch, hasCode: boolean) {
  const text = JSON.stringify(search);
  return useMemo(
    () => toRefusalsQuery(JSON.parse(text) as ReportSearch, Date.now(), hasCode),
    [text, hasCode],
  );
}

interface CausesProps extends Pick<RefusedProps, "search" | "onChange"> {
  isLive: boolean;
}

/** Height of the causes while they load: one line of buttons, on narrow screens below the sum. */
const height = "min-h-9 max-sm:min-h-16 max-sm:pointer-coarse:min-h-18";

/** Number of refusals of each cause. On narrow screens the causes scroll sideways. A press filters by the cause. */
function Causes({ search, onChange, isLive }: CausesProps) {
  const counts = useRefusalCounts(useRefusalsQuery(search, false), isLive);
  const { code: selected = [] } = search;
  if (!counts.data) return <p className={height} />;
  const { data: rows, totals } = counts.data;
  const hasRange = search.range !== undefined || search.at !== undefined || isLive;
  const when = hasRange ? "in this range" : "in the last 24 hours";
  if (rows.length === 0) {
    return <p className={`${height} content-center text-sm text-quiet`}>No refusal {when}.</p>;
  }
  return (
    <fieldset className={`${height} flex min-w-0 flex-wrap items-center gap-2 text-sm`}>
      <legend className="sr-only">Causes</legend>
      <span className="text-quiet max-sm:w-full">
        {formatCount(totals.requests)} {totals.requests === 1 ? "refusal" : "refusals"} {when}:
      </span>
      <span className="flex gap-2 max-sm:max-w-full max-sm:overflow-x-auto sm:contents">
        {rows.map(({ error_code: code, requests }) =>
          code === null ? null : (
            <Button
              key={code}
              aria-pressed={selected.includes(code)}
              kind={selected.includes(code) ? "primary" : "plain"}
              onClick={() =>
                onChange({ code: selected.includes(code) ? undefined : ([code] as string[]) })
              }
            >
              <span title={code}>{nameCause(code)}</span> {formatCount(requests)}
            </Button>
          ),
        )}
      </span>
    </fieldset>
  );
}

interface ListProps {
  search: ReportSearch;
  isLive: boolean;
  onClear: () => void;
}

function RefusalList({ search, isLive, onClear }: ListProps) {
  const query = useRefusalsQuery(search, true);
  const refusals = useRefusals({ ...query, request_id: search.request }, isLive);
  const { items, error, isPending, hasOlder, isLoadingOlder } = refusals;
  if (error && items.length === 0) return <LoadError error={error} onRetry={refusals.refetch} />;
  if (isPending) return <SkeletonRows />;
  if (items.length === 0) {
    return (
      <EmptyState
        title="No refused request matches"
        action={<Button onClick={onClear}>Show all refused requests</Button>}
        code={<CodeBlock text="./bursar refusals recent" what="command" />}
      >
        A refused request appears here within ten seconds.
      </EmptyState>
    );
  }
  return (
    <>
      <RefusalTable refusals={items} />
      {hasOlder && (
        <Button className="mx-auto" isBusy={isLoadingOlder} onClick={refusals.loadOlder}>
          Load older requests
        </Button>
      )}
    </>
  );
}
