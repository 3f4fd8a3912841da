import { RelativeTime } from "../../ui/relative-time.tsx";
import { FormError, SkeletonRows } from "../../ui/states.tsx";
import { type RateLimit, useEffectiveRateLimits } from "./queries.ts";
import { RateChain } from "./rate-chain.tsx";

/** Rate limits that apply to one key: its own, and those of its owner, groups, workspace and organization. */
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
        <RateChain limits={limits} describeScope={describeScope} />
      )}
    </div>
  );
}

function describeScope({ scope, scope_name }: RateLimit): string {
  switch (scope.type) {
    case "api_key":
      return "The key";
    case "workspace":
      return "Its workspace";
    case "organization":
      return "The company";
    case "member":
      return "Its owner";
    case "group":
      return `Group ${scope_name}`;
    case "group_member":
      return `Each member of ${scope_name}`;
  }
}
