import type { ReactNode } from "react";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { FormError, SkeletonRows } from "../../ui/states.tsx";
import { type Column, Table } from "../../ui/table.tsx";
import { Now, PerMinute } from "./components.tsx";
import { type RateLimit, type Scope, useEffectiveRateLimits } from "./queries.ts";
import { type Meter, meterWords, perMinuteOf } from "./words.ts";

/** What one key may send per minute: its own limits, its workspace's and the company's. */
export function KeyRates({ apiKeyId }: { apiKeyId: string }) {
  const effective = useEffectiveRateLimits(apiKeyId);
  if (effective.error) return <FormError error={effective.error} />;
  if (!effective.data) return <SkeletonRows rows={2} />;
  const { limits, is_blocked, free_at } = effective.data;
  return (
    <div className="grid gap-4">
      {is_blocked && (
        <p className="rounded-md bg-warn-wash px-4 py-3 text-sm text-warn">
          Requests of this key get 429 now
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
          No rate limit applies to it: what it may send per minute, the upstream alone decides.
        </p>
      ) : (
        <Table label="Rate limits" columns={columns} rows={limits} rowKey={({ id }) => id} />
      )}
    </div>
  );
}

const scopeWords: Record<Scope["type"], ReactNode> = {
  api_key: "The key",
  workspace: "Its workspace",
  organization: "The company",
};

const perMinute = (meter: Meter): Column<RateLimit> => ({
  id: meter,
  header: meterWords[meter].label,
  isNumeric: true,
  cell: (limit) => <PerMinute perMinute={perMinuteOf(limit, meter)} />,
});

const columns: Column<RateLimit>[] = [
  {
    id: "scope",
    header: "Limit of",
    cell: ({ scope, model_group_name }) => (
      <span className="grid">
        <span className="font-medium">{scopeWords[scope.type]}</span>
        <span className="text-xs text-quiet">{model_group_name}</span>
      </span>
    ),
  },
  perMinute("requests"),
  perMinute("input_tokens"),
  perMinute("output_tokens"),
  { id: "now", header: "Now", from: "sm", cell: (limit) => <Now limit={limit} /> },
];
