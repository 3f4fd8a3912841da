import { Link } from "@tanstack/react-router";
import { type ReactNode, Suspense, useMemo } from "react";
import { useAssignedReviews } from "../../kit/access-reviews/assigned-reviews.ts";
import { ReviewsToDecide } from "../../kit/access-reviews/reviews-to-decide.tsx";
import { warningsOf } from "../../kit/api-keys/key-state.ts";
import { LimitBar } from "../../kit/spend-limits/limit-bar.tsx";
import { useSpendLimits } from "../../kit/spend-limits/queries.ts";
import { MonthStats, useCostSummary } from "../../kit/usage/cost-summary.tsx";
import { type Group, useUsage } from "../../kit/usage/queries.ts";
import { resolveRange } from "../../kit/usage/range.ts";
import { WorkspaceLink } from "../../kit/workspaces/workspace-link.tsx";
import { lazyPart } from "../../load-part.ts";
import { useApi } from "../../queries.ts";
import { useMay, useSession } from "../../session.ts";
import { Money } from "../../ui/amounts.tsx";
import { Badge } from "../../ui/badge.tsx";
import { formatCount, formatUsd, nanoToUsdText, toUsdText } from "../../ui/format.ts";
import { Page, Section } from "../../ui/page.tsx";
import { Stat, StatRow } from "../../ui/stat.tsx";
import { ErrorState, SkeletonRows } from "../../ui/states.tsx";
import { useNow } from "../../ui/use-now.ts";
import { Attention, useAttention } from "./attention.tsx";
import { FirstSteps, useFirstSteps } from "./first-steps.tsx";
import { type Month, toUsageQuery } from "./month.ts";
import { sumByGroup } from "./sum-usage.ts";

const DAY_MS = 86_400_000;
const TOP = 5;

const PersonalKeys = lazyPart(
  () => import("../../kit/personal-keys/personal-keys.tsx"),
  "PersonalKeys",
);

/** The company at a glance. Members who see their own usage only get their keys instead. */
export function OverviewPage() {
  const may = useMay();
  const { organization } = useSession();
  if (may("api_keys:read") || may("spend_limits:read")) return <CompanyOverview />;
  return (
    <Page title={organization.name} lead="Your keys, and the workspaces where you can create one.">
      <Suspense fallback={<SkeletonRows />}>
        <PersonalKeys />
      </Suspense>
    </Page>
  );
}

/** Current spend, items that need attention, and links. Each part fails on its own. */
function CompanyOverview() {
  const { organization } = useSession();
  const may = useMay();
  const nowMs = useNow();
  const day = Math.floor(nowMs / DAY_MS);
  // The query stays the same all day, so that it runs once.
  const month = useMemo(() => resolveRange("month", day * DAY_MS, {}), [day]);
  if (useIsLoading(month)) {
    return (
      <Page title={organization.name} lead={monthName(nowMs)}>
        <SkeletonRows />
      </Page>
    );
  }
  return (
    <Page title={organization.name} lead={monthName(nowMs)}>
      <FirstSteps month={month} />
      <Attention />
      {may("workspace_members:write") && <ReviewsToDecide />}
      {may("usage:read") && <MonthFigures month={month} />}
      {may("spend_limits:read") && <CompanyLimits />}
      {may("usage:read") && (
        <div className="grid gap-x-12 gap-y-10 lg:grid-cols-2">
          <Top
            title="Workspaces by cost"
            month={month}
            groupBy="workspace"
            nameOf={(id) => <WorkspaceLink id={id} />}
            more={
              <Link
                to="/cost"
                search={{ range: "month", by: "workspace" }}
                className="link text-sm"
              >
                All costs
              </Link>
            }
          />
          <Top
            title="Models by cost"
            month={month}
            groupBy="model"
            nameOf={(model) => model}
            more={
              <Link to="/cost" search={{ range: "month", by: "model" }} className="link text-sm">
                All models
              </Link>
            }
          />
        </div>
      )}
      {may("api_keys:read") && <KeysNeedingAttention />}
    </Page>
  );
}

/** True until every part has data or an error, so that no part moves another. */
function useIsLoading(month: Month): boolean {
  const may = useMay();
  const options = { isEnabled: may("usage:read") };
  const queries = [
    useUsage(toUsageQuery(month, null), options),
    useCostSummary({}, options.isEnabled),
    useUsage(toUsageQuery(month, "workspace"), options),
    useUsage(toUsageQuery(month, "model"), options),
    useSpendLimits(undefined, { isEnabled: may("spend_limits:read") }),
    useFirstSteps(month),
    ...useAttention(),
    useAssignedReviews({ isEnabled: may("workspace_members:write") }),
    ...useKeysNeedingAttention(may("api_keys:read")),
  ];
  return queries.some(({ isLoading }) => isLoading);
}

function MonthFigures({ month }: { month: Month }) {
  const usage = useUsage(toUsageQuery(month, null));
  const summary = useCostSummary({}, true);
  const error = (usage.data ? null : usage.error) ?? (summary.data ? null : summary.error);
  if (error) return <ErrorState error={error} />;
  const totals = usage.data?.totals;
  return (
    <StatRow>
      <MonthStats summary={summary.data} requestsSearch={{ range: "month" }} />
      <Stat
        label="Requests"
        value={totals && formatCount(totals.requests)}
        note={
          totals && totals.requests > 0
            ? `${((totals.errors / totals.requests) * 100).toFixed(1)}% failed`
            : undefined
        }
      />
    </StatRow>
  );
}

function CompanyLimits() {
  const limits = useSpendLimits();
  const shown = (limits.data?.items ?? []).filter(({ scope }) => scope.type === "organization");
  if (shown.length === 0) return null;
  return (
    <Section
      title="Company limits"
      actions={
        <Link to="/spend-limits" className="link text-sm">
          All limits
        </Link>
      }
    >
      <ul className="grid gap-4">
        {shown.map((limit) => (
          <li key={limit.id} className="grid gap-1.5">
            <p className="text-sm">
              {formatUsd(toUsdText(limit.limit_usd))} {limit.period}
            </p>
            <LimitBar limit={limit} />
          </li>
        ))}
      </ul>
    </Section>
  );
}

interface TopProps {
  title: string;
  month: Month;
  groupBy: Group;
  nameOf: (key: string) => ReactNode;
  more: ReactNode;
}

function Top({ title, month, groupBy, nameOf, more }: TopProps) {
  const usage = useUsage(toUsageQuery(month, groupBy));
  const sums = usage.data ? sumByGroup(usage.data.rows, groupBy).slice(0, TOP) : [];
  const largest = sums[0]?.costNano ?? 0n;
  if (usage.error && !usage.data) return <ErrorState error={usage.error} />;
  if (usage.data && sums.length === 0) return null;
  return (
    <Section title={title} actions={more}>
      <ol className="divide-y divide-line border-y border-line text-sm">
        {sums.map(({ key, costNano }) => (
          <li
            key={key}
            className="grid grid-cols-[minmax(0,1fr)_5rem_5.5rem] items-center gap-4 py-2.5"
          >
            <span className="truncate font-medium">{nameOf(key)}</span>
            <svg
              aria-hidden="true"
              viewBox="0 0 100 4"
              preserveAspectRatio="none"
              className="h-1.5 w-full"
            >
              <rect
                width={largest > 0n ? Number((costNano * 100n) / largest) : 0}
                height="4"
                className="fill-accent"
              />
            </svg>
            <Money usd={nanoToUsdText(costNano)} className="text-right" />
          </li>
        ))}
      </ol>
    </Section>
  );
}

/** Reads only the first few keys, since a company can have thousands. */
function useKeysNeedingAttention(isEnabled = true) {
  const options = { isEnabled, everyMs: 60_000 };
  const query = { status: "active", limit: TOP + 1 } as const;
  return [
    useApi("listApiKeys", { query: { ...query, expiring_within_days: 14 } }, options),
    useApi("listApiKeys", { query: { ...query, unused_days: 30 } }, options),
    useApi("listApiKeys", { query: { ...query, exceeds_max_lifetime: true } }, options),
  ];
}

function KeysNeedingAttention() {
  const nowMs = useNow();
  const keys = useKeysNeedingAttention().flatMap(({ data }) => data?.data ?? []);
  const found = [...new Map(keys.map((key) => [key.id, key])).values()];
  if (found.length === 0) return null;
  return (
    <Section
      title="Keys that need attention"
      actions={
        <Link to="/api-keys" search={{ show: "attention" }} className="link text-sm">
          All keys that need attention
        </Link>
      }
    >
      <ul className="divide-y divide-line border-y border-line text-sm">
        {found.slice(0, TOP).map((key) => (
          <li key={key.id} className="flex flex-wrap items-center gap-3 py-2.5">
            <Link
              to="/api-keys/$keyId"
              params={{ keyId: key.id }}
              className="font-medium hover:underline"
            >
              {key.name}
            </Link>
            {warningsOf(key, nowMs).map(({ tone, text }) => (
              <Badge key={text} tone={tone}>
                {text}
              </Badge>
            ))}
          </li>
        ))}
      </ul>
    </Section>
  );
}

function monthName(nowMs: number): string {
  return new Date(nowMs).toLocaleDateString("en-GB", {
    month: "long",
    year: "numeric",
    timeZone: "UTC",
  });
}
