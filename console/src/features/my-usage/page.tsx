import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { currentPeriodWords } from "../../kit/spend-limits/words.ts";
import { WorkspaceName } from "../../kit/workspaces/workspace-link.tsx";
import { useApi } from "../../queries.ts";
import { useMay } from "../../session.ts";
import { formatCount, formatUsd, toNanoUsd } from "../../ui/format.ts";
import { Page, Section } from "../../ui/page.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { Stat, StatRow } from "../../ui/stat.tsx";
import { EmptyState, ErrorState, SkeletonRows } from "../../ui/states.tsx";
import { Segments } from "../../ui/tabs.tsx";
import { BucketChart } from "./bucket-chart.tsx";
import { MyIncreaseRequests } from "./my-increase-requests.tsx";
import { MyLimits } from "./my-limits.tsx";
import { useMyLimits, useMyUsage } from "./queries.ts";
import type { MyUsageSearch, Period } from "./search.ts";
import { TopList } from "./top-list.tsx";

const periodChoices: readonly (readonly [Period, string])[] = [
  ["daily", "Today"],
  ["weekly", "This week"],
  ["monthly", "This month"],
];

/** The member's own requests, cost and limits. */
export function MyUsagePage() {
  const { period = "monthly" }: MyUsageSearch = useSearch({ strict: false });
  const navigate = useNavigate();
  const may = useMay();
  const usage = useMyUsage(period);
  const limits = useMyLimits();
  const requests = useApi(
    "listIncreaseRequests",
    { query: { limit: 20 } },
    { isEnabled: may("spend_limits:request") },
  );
  const error = (usage.data ? null : usage.error) ?? (limits.data ? null : limits.error);
  const isLoading = !usage.data || !limits.data || requests.isLoading;
  return (
    <Page
      title="My usage"
      guide="people-limits"
      lead="Requests of your personal keys, laptops and playground sessions. Days, weeks and months are in UTC."
    >
      <div>
        <Segments
          label="Period"
          value={period}
          options={periodChoices}
          onChange={(value) =>
            void navigate({ to: "/my-usage", search: { period: value }, replace: true })
          }
        />
      </div>
      {error ? (
        <ErrorState error={error} onRetry={() => void usage.refetch()} />
      ) : isLoading ? (
        <SkeletonRows />
      ) : (
        <div className="grid gap-10">
          <Sums usage={usage.data} />
          <MyLimits limits={limits.data.data} />
          <MyIncreaseRequests
            requests={requests.data?.data ?? []}
            narrowest={limits.data.data[0]}
          />
        </div>
      )}
    </Page>
  );
}

type Usage = NonNullable<ReturnType<typeof useMyUsage>["data"]>;

function Sums({ usage }: { usage: Usage }) {
  const { totals, period, ending_at } = usage;
  if (totals.requests === 0) {
    return (
      <EmptyState title={`No request ${currentPeriodWords[period]}`}>
        Requests with your own keys appear here within two seconds.{" "}
        <Link to="/personal-keys" className="link">
          Show your keys
        </Link>
      </EmptyState>
    );
  }
  return (
    <>
      <StatRow>
        <Stat
          label={`Spent ${currentPeriodWords[period]}`}
          value={formatUsd(totals.cost_usd)}
          note={
            toNanoUsd(totals.simulated_cost_usd) > 0n &&
            `${formatUsd(totals.simulated_cost_usd)} of it is simulated, and no provider bills it. Limits count it.`
          }
        />
        <Stat label="Requests" value={formatCount(totals.requests)} />
        <Stat label="Resets" value={<RelativeTime at={ending_at} />} />
      </StatRow>
      <Section title={usage.bucket === "1h" ? "By hour" : "By day"}>
        <BucketChart usage={usage} />
      </Section>
      <div className="grid gap-x-12 gap-y-10 lg:grid-cols-2">
        <TopList
          title="By model"
          rows={usage.models.map(({ model, ...sums }) => ({ id: model, name: model, ...sums }))}
        />
        <TopList
          title="By key"
          rows={usage.api_keys.map((key) => ({
            id: key.api_key_id,
            name: key.is_playground ? "Playground" : (key.api_key_name ?? key.api_key_id),
            ...key,
          }))}
        />
        <TopList
          title="By workspace"
          rows={usage.workspaces.map((workspace) => ({
            id: workspace.workspace_id,
            name: workspace.workspace_name ?? <WorkspaceName id={workspace.workspace_id} />,
            ...workspace,
          }))}
        />
        {usage.tags.length > 0 && (
          <TopList
            title="By tag"
            lead="A request counts once for each of its tags."
            rows={usage.tags.map(({ tag_id, tag_name, tag_value, ...sums }) => ({
              id: tag_id ?? "",
              name: tag_id === null ? "Without a tag" : `${tag_name}: ${tag_value}`,
              ...sums,
            }))}
          />
        )}
      </div>
    </>
  );
}
