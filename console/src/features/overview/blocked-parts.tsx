import { Link } from "@tanstack/react-router";
import { toOwnScope } from "../../kit/scopes/scope.ts";
import { scopeLabel } from "../../kit/scopes/scope-names.ts";
import { IncreaseLink } from "../../kit/spend-limits/increase-link.tsx";
import { type ItemOf, useApi } from "../../queries.ts";
import { useMay } from "../../session.ts";
import { Money } from "../../ui/amounts.tsx";
import { Badge } from "../../ui/badge.tsx";
import { formatPlural, formatUsd, shareOf, toUsdText } from "../../ui/format.ts";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { Part, Row } from "./triage-part.tsx";
import { blockingLimitsQuery, MAX_ROWS, type TriagePart } from "./triage-parts.ts";

// Limits that block requests now, and those that will block soon.

const EVERY_MS = 30_000;
const FORECASTS_EVERY_MS = 60_000;

const allLimits = (
  <Link to="/spend-limits" className="link">
    All limits
  </Link>
);

export function BlockedNow({ part }: { part: TriagePart }) {
  const limits = useApi(
    "listBlockingLimits",
    { query: blockingLimitsQuery },
    { everyMs: EVERY_MS },
  );
  const worst = limits.data?.data.toSorted((a, b) => b.blocked_keys - a.blocked_keys);
  return (
    <Part part={part} title="Blocked now" all={allLimits} query={limits}>
      {worst?.slice(0, MAX_ROWS).map((limit) => (
        <BlockedRow key={limit.spend_limit.id} limit={limit} />
      ))}
    </Part>
  );
}

function BlockedRow({ limit }: { limit: ItemOf<"listBlockingLimits"> }) {
  const { spend_limit, scope_name, blocked_keys } = limit;
  const { scope, period, limit_usd, spent_usd, unresolved_usd, period_ends_at } = spend_limit;
  const isPartlyUnresolved = Number(unresolved_usd) > 0 && Number(spent_usd) < limit_usd;
  return (
    <Row
      name={scopeLabel(scope.type, scope_name)}
      badge={
        <Badge tone="bad">
          {scope.type === "api_key" ? "blocked" : `${formatPlural(blocked_keys, "key")} blocked`}
        </Badge>
      }
      note={
        <>
          <Money usd={spent_usd} /> of {formatUsd(toUsdText(limit_usd))} {period} (
          {formatShare(spend_limit)}){isPartlyUnresolved && ", the rest unresolved"}, resumes{" "}
          <RelativeTime at={period_ends_at} />
        </>
      }
      end={<ChangeLink limit={limit} />}
    />
  );
}

/** Used share of a limit, such as "102%". */
function formatShare({
  spent_usd,
  limit_usd,
}: Pick<ItemOf<"listSpendLimits">, "spent_usd" | "limit_usd">): string {
  return `${Math.floor(shareOf(spent_usd, toUsdText(limit_usd)) * 100)}%`;
}

/** The query of the forecasts, which also decides the layout. */
export const useLimitForecasts = () =>
  useApi(
    "listLimitForecasts",
    {},
    { isEnabled: useMay()("spend_limits:read"), everyMs: FORECASTS_EVERY_MS },
  );

export function BlockedSoon({ part }: { part: TriagePart }) {
  const forecasts = useLimitForecasts();
  return (
    <Part part={part} title="Blocked soon" all={allLimits} query={forecasts}>
      {forecasts.data?.data.slice(0, MAX_ROWS).map((forecast) => (
        <ForecastRow key={forecast.spend_limit.id} forecast={forecast} />
      ))}
    </Part>
  );
}

type LimitForecast = ItemOfForecasts["data"][number];
type ItemOfForecasts = NonNullable<ReturnType<typeof useLimitForecasts>["data"]>;

function ForecastRow({ forecast }: { forecast: LimitForecast }) {
  const { spend_limit, scope_name, reached_at, usd_per_day } = forecast;
  const { scope, period, limit_usd, spent_usd } = spend_limit;
  return (
    <Row
      name={scopeLabel(scope.type, scope_name)}
      badge={
        <Badge tone="warn">
          <RelativeTime at={reached_at} />
        </Badge>
      }
      note={
        <>
          <Money usd={usd_per_day} /> a day, <Money usd={spent_usd} /> of{" "}
          {formatUsd(toUsdText(limit_usd))} {period} ({formatShare(spend_limit)})
        </>
      }
      end={<ChangeLink limit={forecast} />}
    />
  );
}

/** Link to the limit if the member can change it, otherwise to a new increase request. */
function ChangeLink({
  limit: { spend_limit, workspace_id },
}: {
  limit: Pick<LimitForecast, "spend_limit" | "workspace_id">;
}) {
  const may = useMay();
  const place = workspace_id ?? undefined;
  if (may("spend_limits:write", place)) {
    return (
      <Link
        to="/spend-limits/$spendLimitId"
        params={{ spendLimitId: spend_limit.id }}
        className="link"
      >
        Change limit
      </Link>
    );
  }
  const scope = toOwnScope(spend_limit.scope);
  if (!may("spend_limits:request", place) || scope === null) return null;
  return <IncreaseLink scope={scope} period={spend_limit.period} />;
}
