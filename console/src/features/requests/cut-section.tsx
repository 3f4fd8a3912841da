import type { ReactNode } from "react";
import { formatDuration } from "../../kit/requests/words.ts";
import { LimitLink } from "../../kit/spend-limits/limit-link.tsx";
import { formatCount } from "../../ui/format.ts";
import { Facts } from "../../ui/page.tsx";
import type { RequestDetail } from "./queries.ts";

type Cut = NonNullable<RequestDetail["cut"]>;

/** Facts of a stream that a spend limit ended: the limit, the hold, the output and the cost. */
export function CutSection({ request }: { request: RequestDetail }) {
  const { cut } = request;
  if (cut === null) return null;
  return (
    <section className="grid gap-3">
      <h3>Cut by a spend limit</h3>
      <p className="text-sm text-quiet">{reasonSentences[cut.reason]}</p>
      <Facts items={[...listLimitFacts(cut), ...listStreamFacts(cut, request)]} />
    </section>
  );
}

const reasonSentences: Record<Cut["reason"], string> = {
  limit_spent:
    "The limit has nothing left until its period ends. Nothing more was held for the stream.",
  limit_held: "Other requests held the rest of the limit. Nothing more was held for the stream.",
  database_unavailable:
    "The node got no more budget in time. The database did not respond, or the node stood still.",
};

function listLimitFacts(cut: Cut): [string, ReactNode][] {
  const { balance } = cut;
  const link = (
    <LimitLink
      limitId={cut.spend_limit_id}
      scope={cut.scope}
      scopeName={cut.scope_name}
      period={cut.period}
    />
  );
  if (balance === null) return [["Limit", link]];
  return [
    ["Limit", link],
    ["Limit amount", `$${balance.limit_usd}`],
    ["Spent then", `$${balance.spent_usd}`],
    ["Held then", `$${balance.held_usd} by all nodes`],
    ["Unresolved then", `$${balance.unresolved_usd}`],
  ];
}

function listStreamFacts(cut: Cut, { cost_usd }: RequestDetail): [string, ReactNode][] {
  const { held_usd, seen_output_tokens, bound_output_tokens, paused_ms } = cut;
  return [
    ["Held for the stream", `$${held_usd}`],
    ["Output seen", `${formatCount(seen_output_tokens)} tokens`],
    ["Output charged", `${formatCount(bound_output_tokens)} tokens, the most that can be billed`],
    ["Cost", `$${cost_usd}, estimated`],
    ...(paused_ms === null
      ? []
      : [["Node paused", `${formatDuration(paused_ms)} before the cut`] as [string, ReactNode]]),
  ];
}
