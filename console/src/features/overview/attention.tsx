import { Link, type LinkProps } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { findScopeId, toOwnScope } from "../../kit/scopes/scope.ts";
import { scopeLabel, scopeRank } from "../../kit/scopes/scope-names.ts";
import { type ItemOf, useApi } from "../../queries.ts";
import { useMay } from "../../session.ts";
import { Badge } from "../../ui/badge.tsx";
import { formatPlural, formatUsd, toUsdText } from "../../ui/format.ts";
import { Section } from "../../ui/page.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { ErrorState } from "../../ui/states.tsx";
import { useNow } from "../../ui/use-now.ts";

// Limits that block requests now, unacknowledged alerts whose cause lasts, and costs that need a decision.

type BlockingLimit = ItemOf<"listBlockingLimits">;

const MAX_SHOWN = 3;
/** The list is newest first. The widest scopes among these are shown. */
const MAX_READ = 100;
const EVERY_MS = 30_000;
const DAY_MS = 86_400_000;

function useBlockingLimits() {
  const isEnabled = useMay()("spend_limits:read");
  const query = { limit: MAX_READ };
  return useApi("listBlockingLimits", { query }, { isEnabled, everyMs: EVERY_MS });
}

function useOpenAlerts() {
  const isEnabled = useMay()("alerts:read");
  const query = {
    is_acknowledged: false,
    is_over: false,
    is_superseded: false,
    limit: MAX_SHOWN + 1,
  };
  return useApi("listAlertFirings", { query }, { isEnabled, everyMs: EVERY_MS });
}

const DOUBT_DAYS = 30;

/** Requests of the last days whose reported usage is impossible or missing, without a decision about their cost. */
function useDoubtfulCosts() {
  const isEnabled = useMay()("spend:resolve");
  const today = new Date(useNow()).toISOString().slice(0, 10);
  const query = {
    doubt: ["impossible_usage" as const, "missing_usage" as const],
    is_resolved: false,
    starting_at: new Date(Date.parse(today) - DOUBT_DAYS * DAY_MS).toISOString(),
    limit: MAX_SHOWN + 1,
  };
  return useApi("listRequests", { query }, { isEnabled, everyMs: EVERY_MS });
}

/** All queries, so that the page can wait for them. */
export function useAttention() {
  return [useBlockingLimits(), useOpenAlerts(), useDoubtfulCosts()] as const;
}

/** Lists of blocking limits, open alerts and doubtful costs. Empty lists are hidden. */
export function Attention() {
  const parts = useAttention().filter(({ data, error }) => (data ? data.data.length > 0 : error));
  if (parts.length === 0) return null;
  return (
    <div className={`grid gap-x-12 gap-y-10 ${parts.length > 1 ? "lg:grid-cols-2" : ""}`}>
      <BlockedNow />
      <OpenAlerts />
      <DoubtfulCosts />
    </div>
  );
}

function BlockedNow() {
  const { data, error } = useBlockingLimits();
  if (!data) return error && <ErrorState error={error} />;
  const limits = [...data.data].sort(
    (a, b) => scopeRank(a.spend_limit.scope) - scopeRank(b.spend_limit.scope),
  );
  if (limits.length === 0) return null;
  const count = data.next_page === null ? limits.length : `more than ${limits.length}`;
  return (
    <AttentionList title="Blocked now" all={<AllLink to="/spend-limits">All limits</AllLink>}>
      {limits.slice(0, MAX_SHOWN).map((limit) => (
        <BlockedRow key={limit.spend_limit.id} limit={limit} />
      ))}
      {limits.length > MAX_SHOWN && (
        <li className="py-2.5 text-quiet">
          {MAX_SHOWN} of {count} limits that block requests
        </li>
      )}
    </AttentionList>
  );
}

function BlockedRow({ limit }: { limit: BlockingLimit }) {
  const { scope, period, limit_usd, spent_usd, unresolved_usd, period_ends_at } = limit.spend_limit;
  const isPartlyUnresolved = Number(unresolved_usd) > 0 && Number(spent_usd) < limit_usd;
  return (
    <li className="grid gap-1 py-2.5">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <span className="font-medium break-words">{scopeLabel(scope.type, limit.scope_name)}</span>
        <Badge tone="bad">
          {scope.type === "api_key"
            ? "blocked"
            : `${formatPlural(limit.blocked_keys, "key")} blocked`}
        </Badge>
        <span className="ml-auto">
          <LimitLink limit={limit} />
        </span>
      </div>
      <p className="text-quiet">
        The {period} limit of <span className="figures">{formatUsd(toUsdText(limit_usd))}</span> is{" "}
        {isPartlyUnresolved ? "spent or unresolved" : "spent"}. Requests resume{" "}
        <RelativeTime at={period_ends_at} />.
      </p>
    </li>
  );
}

/** Link to the limit if the member can change it, otherwise to a new increase request. */
function LimitLink({ limit: { spend_limit, workspace_id } }: { limit: BlockingLimit }) {
  const may = useMay();
  const place = workspace_id ?? undefined;
  if (may("spend_limits:write", place)) {
    return workspace_id === null ? (
      <Link to="/spend-limits" className="link">
        Change limit
      </Link>
    ) : (
      <Link
        to="/workspaces/$workspaceId/limits"
        params={{ workspaceId: workspace_id }}
        className="link"
      >
        Change limit
      </Link>
    );
  }
  if (!may("spend_limits:request", place)) return null;
  const { period } = spend_limit;
  const scope = toOwnScope(spend_limit.scope);
  if (scope === null) return null;
  const id = findScopeId(scope);
  return (
    <Link
      to="/increase-requests/new"
      search={{ scope: scope.type, ...(id !== null && { id }), period }}
      className="link"
    >
      Request increase
    </Link>
  );
}

function OpenAlerts() {
  const { data, error } = useOpenAlerts();
  if (!data) return error && <ErrorState error={error} />;
  if (data.data.length === 0) return null;
  return (
    <AttentionList title="Open alerts" all={<AllLink to="/alerts">All alerts</AllLink>}>
      {data.data.slice(0, MAX_SHOWN).map(({ id, title, fired_at }) => (
        <li key={id} className="flex items-baseline gap-4 py-2.5">
          <Link
            to="/alerts/firings/$firingId"
            params={{ firingId: id }}
            className="min-w-0 font-medium break-words hover:underline"
          >
            {title}
          </Link>
          <span className="ml-auto shrink-0 text-quiet">
            <RelativeTime at={fired_at} />
          </span>
        </li>
      ))}
      {data.data.length > MAX_SHOWN && <li className="py-2.5 text-quiet">More alerts are open.</li>}
    </AttentionList>
  );
}

function DoubtfulCosts() {
  const { data, error } = useDoubtfulCosts();
  if (!data) return error && <ErrorState error={error} />;
  if (data.data.length === 0) return null;
  return (
    <AttentionList
      title="Doubtful costs"
      all={
        <Link to="/requests" search={{ doubt: "open" }} className="link text-sm">
          All doubtful requests
        </Link>
      }
    >
      {data.data.slice(0, MAX_SHOWN).map(({ id, model, cost_usd, doubt, started_at }) => (
        <li key={id} className="grid gap-1 py-2.5">
          <div className="flex items-baseline gap-4">
            <Link
              to="/requests"
              search={{ doubt: "open", open: id }}
              className="min-w-0 font-medium break-words hover:underline"
            >
              {formatUsd(cost_usd)}, {model}
            </Link>
            <span className="ml-auto shrink-0 text-quiet">
              <RelativeTime at={started_at} />
            </span>
          </div>
          <p className="text-quiet">
            {doubt === "missing_usage"
              ? "The answer had no usage."
              : "The reported usage cannot be true."}
          </p>
        </li>
      ))}
      {data.data.length > MAX_SHOWN && <li className="py-2.5 text-quiet">More are open.</li>}
    </AttentionList>
  );
}

function AttentionList(props: { title: string; all: ReactNode; children: ReactNode }) {
  return (
    <Section title={props.title} actions={props.all}>
      <ul className="divide-y divide-line border-y border-line text-sm">{props.children}</ul>
    </Section>
  );
}

function AllLink({ to, children }: { to: LinkProps["to"]; children: ReactNode }) {
  return (
    <Link {...({ to } as LinkProps)} className="link text-sm">
      {children}
    </Link>
  );
}
