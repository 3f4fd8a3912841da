import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { Download, Printer } from "lucide-react";
import { download } from "../../api-client.ts";
import { LoadError } from "../../kit/error-pages.tsx";
import { useSaveFile } from "../../kit/use-save-file.ts";
import { useMayEverywhere, useSession } from "../../session.ts";
import { Money } from "../../ui/amounts.tsx";
import { Badge } from "../../ui/badge.tsx";
import { Button } from "../../ui/button.tsx";
import {
  formatCount,
  formatIsoDay,
  formatPlural,
  formatTime,
  formatUtcDay,
} from "../../ui/format.ts";
import { BackLink, Facts, Page, Section } from "../../ui/page.tsx";
import { Stat, StatRow } from "../../ui/stat.tsx";
import { FormError, SkeletonRows } from "../../ui/states.tsx";
import { useNow } from "../../ui/use-now.ts";
import { ChangeSection } from "./change-section.tsx";
import { type Statement, useStatement } from "./queries.ts";
import { RowsSection } from "./rows-section.tsx";
import { useVisibleScope } from "./scope-select.tsx";
import { type StatementSearch, toScope } from "./search.ts";
import { nameMonth, nameScope, stateWords } from "./words.ts";

/** One statement, ready to print. */
export function StatementPage() {
  const { month = "" } = useParams({ strict: false });
  const asked: StatementSearch = useSearch({ strict: false });
  const scope = useVisibleScope(asked);
  const search = scope ?? asked;
  const statement = useStatement(month, scope);
  const navigate = useNavigate();
  const setSearch = (next: StatementSearch) =>
    void navigate({ to: "/statements/$month", params: { month }, search: next });
  if (statement.error) {
    return <LoadError error={statement.error} onRetry={() => void statement.refetch()} />;
  }
  const { data } = statement;
  return (
    <Page
      title={`Statement of ${nameMonth(month)}`}
      guide="statements"
      above={<BackLink to="/statements">Statements</BackLink>}
      lead={data && <Lead statement={data} onReset={() => setSearch({ by: search.by })} />}
      actions={<Actions month={month} search={search} />}
    >
      <div className="grid gap-12 print:block print:space-y-8">
        {data && <PrintHeading statement={data} />}
        <Figures statement={data} />
        {data === undefined ? (
          <SkeletonRows />
        ) : (
          <>
            <ChangeSection statement={data} />
            <RowsSection month={month} statement={data} search={search} onSearch={setSearch} />
            <Details statement={data} />
          </>
        )}
      </div>
    </Page>
  );
}

function Lead({ statement, onReset }: { statement: Statement; onReset: () => void }) {
  const { state, closes_after, scope } = statement;
  const mayEverywhere = useMayEverywhere()("statements:read");
  return (
    <span className="flex flex-wrap items-center gap-x-2.5 gap-y-1">
      <Badge tone={stateWords[state].tone}>{stateWords[state].label}</Badge>
      <span>{nameScope(statement)}.</span>
      {state === "open" && <span>The month continues, so all amounts can change.</span>}
      {state === "ended" && <span>Closes after {formatUtcDay(closes_after)}.</span>}
      {scope.type !== "organization" && mayEverywhere && (
        <Button kind="quiet" className="no-print" onClick={onReset}>
          Show the whole company
        </Button>
      )}
    </span>
  );
}

/** Length of a day such as `2026-11-30` at the start of a time. */
const DAY_LENGTH = 10;

/** Company, period and time of the print, on paper only. */
function PrintHeading({ statement }: { statement: Statement }) {
  const { organization } = useSession();
  const nowMs = useNow();
  const lastDay = new Date(Date.parse(statement.ending_at) - 1).toISOString().slice(0, DAY_LENGTH);
  return (
    <p className="hidden text-sm print:block">
      {organization.name}. {formatIsoDay(statement.starting_at.slice(0, DAY_LENGTH))} to{" "}
      {formatIsoDay(lastDay)} in UTC, in US dollars. Printed on{" "}
      {formatTime(new Date(nowMs).toISOString())}.
    </p>
  );
}

function Actions({ month, search }: { month: string; search: StatementSearch }) {
  const { busy, error, save } = useSaveFile<"csv" | "focus_csv">();
  const saveAs = (format: "csv" | "focus_csv") =>
    void save(format, () =>
      download("exportStatement", { params: { month }, query: { ...toScope(search), format } }),
    );
  return (
    <>
      <Button isBusy={busy === "csv"} onClick={() => saveAs("csv")}>
        <Download size={16} /> Export CSV
      </Button>
      <Button isBusy={busy === "focus_csv"} onClick={() => saveAs("focus_csv")}>
        <Download size={16} /> Export FOCUS 1.2
      </Button>
      <Button onClick={() => window.print()}>
        <Printer size={16} /> Print
      </Button>
      <FormError error={error} />
    </>
  );
}

function Figures({ statement }: { statement: Statement | undefined }) {
  const money = (usd: string | undefined) => usd !== undefined && <Money usd={usd} />;
  const figure = (usd: string | undefined) => money(usd) || undefined;
  return (
    <StatRow>
      <Stat label="List cost" value={figure(statement?.list_cost_usd)} />
      <Stat label="Adjustments" value={figure(statement?.adjustments_usd)} />
      <Stat label="Earlier months" value={figure(statement?.earlier_usd)} />
      <Stat label="Discount" value={figure(statement?.discount_usd)} />
      <Stat label="Net cost" value={figure(statement?.net_cost_usd)} />
    </StatRow>
  );
}

/** "3 requests, …", or "None". */
function describeCount(requests: number, rest: string): string {
  return requests === 0 ? "None" : `${formatPlural(requests, "request")}${rest}`;
}

function Details({ statement }: { statement: Statement }) {
  const { simulated, earlier_months, closed_at, sha256, is_intact } = statement;
  const items: [string, React.ReactNode][] = [
    ["Requests", formatCount(statement.requests)],
    [
      "Without a price",
      describeCount(statement.unpriced_requests, ", estimated at the highest rate"),
    ],
    [
      "With unbilled parts",
      describeCount(statement.partly_unbilled_requests, " that could run features billed by time"),
    ],
    [
      "Simulated, not billed",
      simulated.requests === 0 ? (
        "None"
      ) : (
        <span key="simulated">
          {formatPlural(simulated.requests, "request")} for <Money usd={simulated.cost_usd} />. No
          other amount contains them.
        </span>
      ),
    ],
    ...earlier_months.map((each): [string, React.ReactNode] => [
      `Arrived late for ${nameMonth(each.month)}`,
      <span key={each.month}>
        <Money usd={each.list_cost_usd} /> of requests, <Money usd={each.adjustments_usd} /> of
        adjustments
      </span>,
    ]),
  ];
  if (closed_at !== null) {
    items.push(
      ["Closed", formatTime(closed_at)],
      [
        "SHA-256 of the lines",
        <span key="hash" className="grid gap-1">
          <code className="text-xs break-all">{sha256}</code>
          {is_intact === false && (
            <span className="text-bad">The stored lines were changed after the closing.</span>
          )}
        </span>,
      ],
    );
  }
  return (
    <Section
      title="Details"
      lead="Amounts are rounded to cents here. The CSV file has them to the nano-dollar."
    >
      <Facts items={items} />
    </Section>
  );
}
