import { Link } from "@tanstack/react-router";
import { findScopeId } from "../../kit/scopes/scope.ts";
import { enforcementWords, periodWords } from "../../kit/spend-limits/words.ts";
import { useMay } from "../../session.ts";
import { Badge } from "../../ui/badge.tsx";
import { formatUsd, toUsdText } from "../../ui/format.ts";
import { Section } from "../../ui/page.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { SpendBar } from "../../ui/spend-bar.tsx";
import type { MyLimit } from "./queries.ts";

/** Limits that count the member's requests, each with its rest and the way to ask for more. */
export function MyLimits({ limits }: { limits: readonly MyLimit[] }) {
  return (
    <Section
      title="Your limits"
      lead="Limits on you, your keys with their tags, and your groups, and those above them that you can see. Simulated cost counts too."
    >
      {limits.length === 0 ? (
        <p className="border-y border-line py-6 text-sm text-quiet">
          You, your keys and your groups have no limit. Limits of a workspace or of the company can
          still apply.
        </p>
      ) : (
        <ul className="divide-y divide-line border-y border-line">
          {limits.map((limit) => (
            <Limit key={limit.spend_limit_id} limit={limit} />
          ))}
        </ul>
      )}
    </Section>
  );
}

function Limit({ limit }: { limit: MyLimit }) {
  const may = useMay();
  const limitUsd = toUsdText(limit.limit_usd);
  const search = toIncreaseSearch(limit);
  return (
    <li className="grid gap-2 py-4">
      <div className="flex flex-wrap items-baseline gap-x-4 gap-y-1 text-sm">
        <span className="flex-1 basis-60">
          <span className="font-medium">{scopeWords(limit)}</span>{" "}
          {limit.blocks_now && <Badge tone="bad">blocked</Badge>}
          <span className="block text-quiet">
            {formatUsd(limitUsd)} {periodWords[limit.period]},{" "}
            {enforcementWords[limit.enforcement].label.toLowerCase()}
            {limit.inherited_from && `, default of ${limit.inherited_from.group_name}`}
          </span>
        </span>
        <span className="text-quiet">
          Resets <RelativeTime at={limit.period_ends_at} />
        </span>
        {search && may("spend_limits:request") && (
          <Link
            to="/increase-requests/new"
            search={search}
            className="link"
            aria-label={`Request increase for ${scopeWords(limit)}`}
          >
            Request increase
          </Link>
        )}
      </div>
      <SpendBar
        spentUsd={limit.spent_usd}
        heldUsd={limit.held_usd}
        limitUsd={limitUsd}
        isExplained
        isAdvisory={limit.enforcement === "alert_only"}
      />
    </li>
  );
}

function scopeWords({ scope, scope_name }: MyLimit): string {
  switch (scope.type) {
    case "member":
      return "You, over all your keys";
    case "api_key":
      return `Key ${scope_name}`;
    case "group":
      return `Group ${scope_name}`;
    case "group_member":
      return `Each member of ${scope_name}`;
    case "workspace":
      return `Workspace ${scope_name}`;
    case "tag":
      return `Tag ${scope_name}`;
    case "organization":
      return scope_name;
  }
}

/** Address of a new increase request. Null: limits of this scope have no such requests. */
export function toIncreaseSearch({ scope, period }: MyLimit) {
  if (scope.type === "group_member") return null;
  const id = findScopeId(scope);
  return { scope: scope.type, ...(id !== null && { id }), period };
}
