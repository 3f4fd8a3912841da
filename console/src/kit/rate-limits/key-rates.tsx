import { RelativeTime } from "../../ui/relative-time.tsx";
import { FormError, SkeletonRows } from "../../ui/states.tsx";
import { type Column, Table } from "../../ui/table.tsx";
import { type RateLimit, type Scope, useEffectiveRateLimits } from "./queries.ts";
import { LimitName, rateColumns } from "./rate-limit-rows.tsx";

/** Rate limits that apply to one key: its own, its workspace's and the organization's. */
export function KeyRates({ apiKeyId }: { apiKeyId: string }) {
  const effective = useEffectiveRateLimits(apiKeyId);
  if (effective.error) return <FormError error={effective.error} />;
  if (!effective.data) return <SkeletonRows rows={2} />;
  const { limits, is_blocked, free_at } = effective.data;
  return (
    <div className="grid gap-4">
      {is_blocked && (
        <p className="rounded-md bg-warn-wash px-4 py-3 text-sm text-warn">
          Requests of this key get a 429 now
          {free_at && (
            <>
              , until <RelativeTime at={free_at} />
            </>
          )}
          .
        </p>
      )}
      {limits.length === 0 ? (
        <p className="text-sm text-quiet">
          No rate limit applies to this key. Only limits of the upstream apply.
        </p>
      ) : (
        <Table label="Rate limits" columns={columns} rows={limits} rowKey={({ id }) => id} />
      )}
    </div>
  );
}

const scopeWords: Record<Scope["type"], string> = {
  api_key: "The key",
  workspace: "Its workspace",
  organization: "The company",
};

const columns: Column<RateLimit>[] = [
  {
    id: "scope",
    header: "Limit of",
    cell: (limit) => <LimitName limit={limit}>{scopeWords[limit.scope.type]}</LimitName>,
  },
  ...rateColumns((limit: RateLimit) => limit),
];
