import { LoadError } from "../../kit/error-pages.tsx";
import type { Member } from "../../kit/members/queries.ts";
import { type RateLimit, useMemberRates } from "../../kit/rate-limits/queries.ts";
import { RateChain } from "../../kit/rate-limits/rate-chain.tsx";
import { rateLimits } from "../../kit/rate-limits/rate-limit-kind.ts";
import { scopeLabel } from "../../kit/scopes/scope-names.ts";
import { Section } from "../../ui/page.tsx";
import { SkeletonRows } from "../../ui/states.tsx";
import { SetOwnLimit } from "./own-limit.tsx";

/** Rate limits that the requests of a person count for, with their origin. */
export function MemberRates({ member }: { member: Member }) {
  const effective = useMemberRates(member.id);
  if (effective.error) {
    return <LoadError error={effective.error} onRetry={() => void effective.refetch()} />;
  }
  if (!effective.data) return <SkeletonRows rows={2} />;
  const { limits, is_blocked } = effective.data;
  return (
    <Section
      title="Rate limits"
      lead={
        is_blocked
          ? "A rate limit refuses all requests of this person now."
          : "An own value replaces the default rates of groups that the same rank or a lower one has set."
      }
      actions={<SetOwnLimit kind={rateLimits} member={member} label="Set own rate…" />}
    >
      {limits.length === 0 ? (
        <p className="text-quiet">No rate limits.</p>
      ) : (
        <RateChain limits={limits} describeScope={describeScope} />
      )}
    </Section>
  );
}

function describeScope({ scope, scope_name }: RateLimit): string {
  return scope.type === "member" ? "The person" : scopeLabel(scope.type, scope_name);
}
