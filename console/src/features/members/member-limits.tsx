import { LoadError } from "../../kit/error-pages.tsx";
import type { Member } from "../../kit/members/queries.ts";
import { scopeLabel } from "../../kit/scopes/scope-names.ts";
import { LimitChain, type Step } from "../../kit/spend-limits/key-limits.tsx";
import { type SpendLimit, useMemberLimits } from "../../kit/spend-limits/queries.ts";
import { spendLimits } from "../../kit/spend-limits/spend-limit-kind.ts";
import { formatUsd } from "../../ui/format.ts";
import { Section } from "../../ui/page.tsx";
import { SkeletonRows } from "../../ui/states.tsx";
import { SetOwnLimit } from "./own-limit.tsx";

/** Limits that the requests of a person count for, with their origin and spend. */
export function MemberLimits({ member }: { member: Member }) {
  const effective = useMemberLimits(member.id);
  if (effective.error) {
    return <LoadError error={effective.error} onRetry={() => void effective.refetch()} />;
  }
  if (!effective.data) return <SkeletonRows rows={3} />;
  const { limits, binds_first: first, is_blocked, max_request_usd: most } = effective.data;
  const { max_first_hold_usd: firstHold } = effective.data;
  return (
    <Section
      title="Spend limits"
      lead={
        is_blocked
          ? "A limit blocks all requests of this person now."
          : most === null
            ? "All personal keys of the person count together."
            : firstHold === null
              ? `All personal keys of the person count together. Maximum cost of the next request: ${formatUsd(most)}.`
              : `All personal keys of the person count together. Maximum first hold of the next stream: ${formatUsd(firstHold)}.`
      }
      actions={<SetOwnLimit kind={spendLimits} member={member} label="Set own limit…" />}
    >
      {limits.length === 0 ? (
        <p className="text-quiet">No limits.</p>
      ) : (
        <LimitChain steps={listSteps(limits)} firstId={first?.spend_limit_id ?? null} />
      )}
    </Section>
  );
}

/** One step for each scope, in the order of the limits. */
function listSteps(limits: readonly SpendLimit[]): Step[] {
  const byScope = Map.groupBy(limits, ({ scope, scope_name }) => `${scope.type} ${scope_name}`);
  return [...byScope].map(([id, own]) => {
    const [{ scope, scope_name } = { scope: null, scope_name: "" }] = own;
    const label =
      scope === null || scope.type === "member" ? "The person" : scopeLabel(scope.type, scope_name);
    return { id, label, own };
  });
}
