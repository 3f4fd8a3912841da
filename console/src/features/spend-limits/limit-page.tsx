import { useParams } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { LoadError } from "../../kit/error-pages.tsx";
import { LimitDialog } from "../../kit/limits/limit-dialog.tsx";
import { useScopeNames } from "../../kit/scopes/scope-names.ts";
import { LimitBadges } from "../../kit/spend-limits/limit-badges.tsx";
import { LimitBar } from "../../kit/spend-limits/limit-bar.tsx";
import type { SpendLimit } from "../../kit/spend-limits/queries.ts";
import { spendLimits } from "../../kit/spend-limits/spend-limit-kind.ts";
import {
  describeOrigin,
  enforcementWords,
  holdWords,
  periodWords,
  unknownFeatureWords,
} from "../../kit/spend-limits/words.ts";
import { SimulatedSpend } from "../../kit/usage/simulated-spend.tsx";
import { useMay, useMayEverywhere } from "../../session.ts";
import { Button } from "../../ui/button.tsx";
import { formatUsd, toUsdText } from "../../ui/format.ts";
import { BackLink, Facts, Page, Section } from "../../ui/page.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { Skeleton, SkeletonRows } from "../../ui/states.tsx";
import { LimitCapacity } from "./limit-capacity.tsx";
import { LimitOverruns } from "./limit-overruns.tsx";
import { useSpendLimit } from "./queries.ts";

/** One spend limit: its use, the requests that it could start now, and its overruns. */
export function LimitPage() {
  const { spendLimitId } = useParams({ strict: false }) as { spendLimitId: string };
  const limit = useSpendLimit(spendLimitId);
  const nameOf = useScopeNames(limit.data ? [limit.data] : []);
  const mayChange = useMayChange(limit.data);
  const [isEditing, setIsEditing] = useState(false);
  if (limit.error) return <LoadError error={limit.error} onRetry={() => void limit.refetch()} />;
  const { data } = limit;
  if (!data) {
    return (
      <Page
        title="Spend limit"
        above={<BackLink to="/spend-limits">Limits</BackLink>}
        lead={<Skeleton className="my-1 w-40" />}
      >
        <SkeletonRows rows={5} />
      </Page>
    );
  }
  return (
    <Page
      title={nameOf(data.scope)}
      guide="spend-limits"
      above={<BackLink to="/spend-limits">Limits</BackLink>}
      lead={`${formatUsd(toUsdText(data.limit_usd))} ${periodWords[data.period]}`}
      actions={mayChange && <Button onClick={() => setIsEditing(true)}>Change limit…</Button>}
    >
      <div className="grid max-w-4xl gap-12">
        <Section title="Current period">
          <LimitUse limit={data} />
          <Facts items={listFacts(data)} />
          {/* Below the facts, which it would move when it arrives. */}
          <SimulatedSpend
            scope={data.scope}
            startingAt={data.period_starts_at}
            endingAt={data.period_ends_at}
          />
        </Section>
        {data.member_count === null && <LimitCapacity limit={data} />}
        {data.member_count === null && <LimitOverruns limit={data} />}
      </div>
      {isEditing && (
        <LimitDialog
          kind={spendLimits}
          limit={data}
          workspaceId={undefined}
          nameOf={nameOf}
          onClose={() => setIsEditing(false)}
        />
      )}
    </Page>
  );
}

function useMayChange(limit: SpendLimit | undefined): boolean {
  const may = useMay();
  const mayEverywhere = useMayEverywhere();
  if (limit === undefined) return false;
  const { scope } = limit;
  // A key's workspace is not part of its limit. The server decides.
  if (scope.type === "workspace") return may("spend_limits:write", scope.workspace_id);
  if (scope.type === "api_key") return may("spend_limits:write");
  return mayEverywhere("spend_limits:write");
}

function LimitUse({ limit }: { limit: SpendLimit }) {
  return (
    <div className="grid gap-1.5">
      <LimitBar limit={limit} />
      <p className="flex flex-wrap items-center gap-x-3 gap-y-1 text-sm text-quiet">
        <LimitBadges limit={limit} />
      </p>
    </div>
  );
}

function listFacts(limit: SpendLimit): (readonly [string, ReactNode])[] {
  const isStrict = limit.enforcement === "strict";
  const { label, hint } = enforcementWords[limit.enforcement];
  const hold = holdWords[limit.hold];
  return [
    ["Enforcement", withHint(label, hint)],
    ...(isStrict
      ? ([
          ["Holds of streams", withHint(hold.label, hold.hint)],
          ["Unknown features", unknownFeatureWords[limit.unknown_features]],
        ] as const)
      : []),
    ...(limit.open_ended_hold_usd === null
      ? []
      : ([
          [
            "Hold of open-ended requests",
            <span key="open" className="figures">
              {formatUsd(toUsdText(limit.open_ended_hold_usd))}
            </span>,
          ],
        ] as const)),
    ["Origin", describeOrigin(limit)],
    ...(limit.member_count === null
      ? ([["Resets", <RelativeTime key="resets" at={limit.period_ends_at} />]] as const)
      : []),
  ];
}

function withHint(label: string, hint: string): ReactNode {
  return (
    <>
      {label}. <span className="text-quiet">{hint}</span>
    </>
  );
}
