import { useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo } from "react";
import { Money, Tokens } from "../../ui/amounts.tsx";
import { ButtonLink } from "../../ui/button.tsx";
import { formatCount, toNanoUsd } from "../../ui/format.ts";
import { Select } from "../../ui/input.tsx";
import { NarrowFilters } from "../../ui/narrow-filters.tsx";
import { Stat, StatRow } from "../../ui/stat.tsx";
import { useIsDrawn } from "../../ui/use-is-drawn.ts";
import { LoadError } from "../error-pages.tsx";
import { ViewsMenu } from "../tables/views-menu.tsx";
import { CostNotes, hasCostNotes } from "./cost-notes.tsx";
import { CostSummaryRow, useCostSummary } from "./cost-summary.tsx";
import { countFilters, FilterBar, RangeBar } from "./filter-bar.tsx";
import { GroupTable } from "./group-table.tsx";
import { LiveToggle } from "./live.tsx";
import { ReportChart } from "./report-chart.tsx";
import {
  listGroupChoices,
  type ReportInput,
  type ReportKind,
  toReportInput,
  type Within,
} from "./report-input.ts";
import { type Report, useReport } from "./report-query.ts";
import { toRequestsSearch } from "./report-search.ts";
import type { GroupName, ReportSearch } from "./search.ts";
import { SimulatedNote } from "./simulated.tsx";
import { useTagNames } from "./tags.ts";
import { groupWords } from "./words.ts";

interface ReportProps extends Within {
  kind?: ReportKind;
}

/** Chart, totals and table of the same numbers. The address has all choices, so that it can be shared. */
export function UsageReport({ kind = "usage", workspaceId, apiKeyId }: ReportProps) {
  const search: ReportSearch = useSearch({ strict: false });
  const navigate = useNavigate();
  const go = (changed: ReportSearch, { replace }: { replace: boolean }) =>
    void navigate({
      to: ".",
      search: (before: object) => ({ ...before, ...changed }),
      replace,
    } as never);
  const change = (changed: ReportSearch) => go(changed, { replace: true });
  const within = { workspaceId, apiKeyId };
  const asked = useAsked(kind, search, within);
  const report = useReport(asked);
  const summary = useCostSummary(asked.filters, kind === "cost");
  const requestsSearch = toRequestsSearch(search, within);
  const isDrawn = useIsDrawn();
  return (
    <div className="grid gap-7">
      <div className="no-print flex flex-wrap items-center gap-2.5">
        <RangeBar search={search} onChange={change} fallback="7d" />
        <LiveToggle
          isLive={search.live === true}
          onChange={(isLive) => change({ at: undefined, live: isLive || undefined })}
        />
        <NarrowFilters count={countFilters(search)}>
          <FilterBar search={search} onChange={change} within={within} />
        </NarrowFilters>
        <GroupChoice kind={kind} asked={asked} within={within} onChange={change} />
        <span className="flex sm:ml-auto">
          <ViewsMenu />
          <ButtonLink to="/requests" search={requestsSearch} kind="quiet">
            View requests
          </ButtonLink>
        </span>
      </div>
      {kind === "cost" ? (
        <CostSummaryRow
          summary={summary}
          requestsSearch={toRequestsSearch({ ...search, ...THIS_MONTH }, within)}
        />
      ) : (
        <UsageTotals report={report.data} requestsSearch={requestsSearch} />
      )}
      {report.error && !report.data ? (
        <LoadError error={report.error} onRetry={() => void report.refetch()} />
      ) : (
        <ReportChart
          asked={asked}
          report={report.data}
          error={report.error}
          search={search}
          summary={kind === "cost" ? summary.data : undefined}
          onChange={change}
          onDrillDown={(at) => go({ at }, { replace: false })}
          requestsSearch={requestsSearch}
        />
      )}
      {isDrawn && report.data && report.data.rows.length > 0 && (
        <GroupTable kind={kind} report={report.data} groupBy={asked.groupBy} />
      )}
      {report.data?.hasOverlappingRows && (
        <p className="text-sm text-quiet">
          A request can be in several rows. The total counts each request once.
        </p>
      )}
    </div>
  );
}

/** Times of the summary, whatever the report shows. */
const THIS_MONTH: ReportSearch = {
  range: "month",
  from: undefined,
  to: undefined,
  at: undefined,
  live: undefined,
};

/** Returns the same object for the same address. */
function useAsked(kind: ReportKind, search: ReportSearch, within: Within): ReportInput {
  const { workspaceId, apiKeyId } = within;
  return useMemo(
    () => toReportInput(kind, search, { workspaceId, apiKeyId }),
    [kind, search, workspaceId, apiKeyId],
  );
}

interface GroupChoiceProps {
  kind: ReportKind;
  asked: ReportInput;
  within: Within;
  onChange: (changed: ReportSearch) => void;
}

/** Separates a group from the name of its tags. No name has it. */
const OF_NAME = ":";

function GroupChoice({ kind, asked, within, onChange }: GroupChoiceProps) {
  const tagNames = useTagNames();
  const { groupBy, tagName } = asked;
  const names = [...new Set([...tagNames, ...(tagName === undefined ? [] : [tagName])])];
  return (
    <>
      <Select
        aria-label="Group by"
        className="max-sm:min-w-36 max-sm:flex-1"
        value={tagName === undefined ? (groupBy ?? "none") : `${groupBy}${OF_NAME}${tagName}`}
        onChange={(event) => {
          const [by, name] = event.target.value.split(OF_NAME);
          onChange({ by: by as GroupName, tagName: name });
        }}
      >
        {listGroupChoices(kind, within).map((name) => (
          <option key={name} value={name}>
            By {groupWords[name].replace(/^(?!API)./, (letter) => letter.toLowerCase())}
          </option>
        ))}
        {names.map((name) => (
          <option key={name} value={`tag${OF_NAME}${name}`}>
            By tag {name}
          </option>
        ))}
        <option value="none">Not grouped</option>
      </Select>
      {asked.groupBy !== null && asked.groupBy !== "token_type" && (
        <Select
          aria-label="Groups in the chart"
          value={asked.top}
          onChange={(event) => onChange({ top: Number(event.target.value) })}
        >
          {[3, 5, 8].map((count) => (
            <option key={count} value={count}>
              Top {count} + others
            </option>
          ))}
        </Select>
      )}
    </>
  );
}

interface UsageTotalsProps {
  report: Report | undefined;
  requestsSearch: ReportSearch;
}

function UsageTotals({ report, requestsSearch }: UsageTotalsProps) {
  const totals = report?.totals;
  if (totals !== undefined && !("total_tokens" in totals)) return null;
  const cached = totals ? totals.cache_read_tokens : 0;
  const hasSimulated = totals !== undefined && toNanoUsd(totals.simulated_cost_usd) > 0n;
  const prompt = totals ? totals.total_tokens - totals.output_tokens : 0;
  return (
    <StatRow>
      <Stat
        label="Cost"
        value={totals && <Money usd={totals.cost_usd} />}
        note={
          totals && (hasCostNotes(totals) || hasSimulated) ? (
            <>
              <CostNotes counts={totals} search={requestsSearch} />
              {hasSimulated && (
                <SimulatedNote usd={totals.simulated_cost_usd} search={requestsSearch} />
              )}
            </>
          ) : undefined
        }
      />
      <Stat
        label="Requests"
        value={totals && formatCount(totals.requests)}
        hasNote
        note={totals && `${formatCount(totals.errors)} failed`}
      />
      <Stat
        label="Input tokens"
        value={totals && <Tokens count={prompt} />}
        note={prompt > 0 ? `${Math.round((cached / prompt) * 100)}% from the cache` : undefined}
      />
      <Stat label="Output tokens" value={totals && <Tokens count={totals.output_tokens} />} />
    </StatRow>
  );
}
