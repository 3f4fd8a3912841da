import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { Answer } from "../../api-client.ts";
import { useApi } from "../../queries.ts";
import { Badge } from "../../ui/badge.tsx";
import { formatUsd, toUsdText } from "../../ui/format.ts";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { SpendBar } from "../../ui/spend-bar.tsx";
import { FormError, SkeletonRows } from "../../ui/states.tsx";
import { scopeLabel } from "../scopes/scope-names.ts";
import { WorkspaceLink } from "../workspaces/workspace-link.tsx";
import {
  describeOrigin,
  enforcementWords,
  isHeldInSteps,
  isRefusingUnknown,
  periodWords,
} from "./words.ts";

type Effective = Answer<"getEffectiveSpendLimits">;
type Limit = Effective["limits"][number];
type ScopeType = Limit["scope"]["type"];

const REFRESH_MS = 5_000;
const scopeWords: Record<ScopeType, string> = {
  api_key: "the key",
  member: "the key’s owner",
  tag: "a tag",
  group: "a group",
  group_member: "a group’s members",
  workspace: "the workspace",
  organization: "the company",
};

/** Limits of one key, its workspace and the company, and the limit that applies first. */
export function KeyLimits({ apiKeyId }: { apiKeyId: string }) {
  const effective = useApi(
    "getEffectiveSpendLimits",
    { query: { api_key_id: apiKeyId } },
    { everyMs: REFRESH_MS, isPreviousShown: true },
  );
  if (effective.error) return <FormError error={effective.error} />;
  if (!effective.data) return <SkeletonRows rows={3} />;
  return (
    <div className="grid gap-5">
      <Verdict effective={effective.data} />
      <Chain effective={effective.data} />
    </div>
  );
}

/** Describes the largest request that can start now, and the limit that decides it. */
function Verdict({ effective }: { effective: Effective }) {
  const { binds_first: first, is_blocked, max_request_usd: most } = effective;
  const { max_first_hold_usd: firstHold, max_stream_usd: stream } = effective;
  return (
    <div className={`rounded-md px-4 py-3 ${is_blocked ? "bg-bad-wash" : "bg-sunk"}`}>
      <p className="font-medium">
        {is_blocked
          ? "Requests of this key are blocked now."
          : most === null
            ? "No limit applies to the cost of a request of this key."
            : firstHold === null
              ? `Maximum cost of the next request: ${formatUsd(most)}.`
              : `Maximum first hold of the next stream: ${formatUsd(firstHold)}.`}
      </p>
      <p className="mt-1 text-sm text-quiet">
        {first === null ? (
          "No blocking limit applies to this key."
        ) : (
          <>
            The limit of {scopeWords[first.scope_type]} {periodWords[first.period]} applies first
            {first.spend_limit_id === null && ", which you cannot see"}. The limit resets{" "}
            <RelativeTime at={first.period_ends_at} />.
          </>
        )}
        {most !== null && !is_blocked && ` ${explainStart({ most, firstHold, stream })}`}
      </p>
    </div>
  );
}

/** Amounts that decide whether a request can start. Null: no limit of that kind. */
interface StartBounds {
  most: string;
  firstHold: string | null;
  stream: string | null;
}

function explainStart({ most, firstHold, stream }: StartBounds): string {
  if (firstHold === null) {
    return "A request starts only if its worst-case cost fits: its input, and its maximum output.";
  }
  const whole =
    stream === null
      ? `A request that is held whole can cost ${formatUsd(most)} at most.`
      : `Other limits hold streams whole: a stream can cost ${formatUsd(stream)} at most, and another request ${formatUsd(most)}.`;
  return `A stream starts if its input and the first step of its output fit. ${whole}`;
}

function Chain({ effective }: { effective: Effective }) {
  const { binds_first: first, limits, workspace_id } = effective;
  const isHidden = first !== null && first.spend_limit_id === null;
  const ofType = (type: ScopeType) => limits.filter(({ scope }) => scope.type === type);
  const others = (["member", "tag", "group"] as const).flatMap((type) =>
    [...Map.groupBy(ofType(type), ({ scope_name }) => scope_name)].map(([name, own]) => ({
      ...{ id: `${type} ${name}`, label: scopeLabel(type, name), own },
    })),
  );
  const steps: readonly Step[] = [
    { id: "api_key", label: "The key", own: ofType("api_key") },
    ...others,
    {
      id: "workspace",
      label: (
        <span className="flex flex-wrap gap-x-2">
          Workspace {workspace_id !== null && <WorkspaceLink id={workspace_id} />}
        </span>
      ),
      own: ofType("workspace"),
    },
    { id: "organization", label: "The company", own: ofType("organization"), isHidden },
  ];
  return <LimitChain steps={steps} firstId={first?.spend_limit_id ?? null} />;
}

/** Limits of one scope in a chain. */
export interface Step {
  id: string;
  label: ReactNode;
  own: readonly Limit[];
  /** The scope has a limit that the person cannot see. */
  isHidden?: boolean;
}

/** Limits by scope, in the order of the chain. `firstId` is the limit that applies first. */
export function LimitChain({ steps, firstId }: { steps: readonly Step[]; firstId: string | null }) {
  return (
    <ol className="divide-y divide-line border-y border-line">
      {steps.map(({ id, label, own, isHidden = false }) => (
        <li key={id} className="grid gap-x-6 gap-y-3 py-4 sm:grid-cols-[11rem_minmax(0,1fr)]">
          <p className="min-w-0 font-medium wrap-anywhere">{label}</p>
          <div className="grid gap-4">
            {own.length === 0 && (
              <p className="text-sm text-quiet">{isHidden ? "No access" : "No limit"}</p>
            )}
            {own.map((limit) => (
              <ChainLimit key={limit.id} limit={limit} isFirst={limit.id === firstId} />
            ))}
          </div>
        </li>
      ))}
    </ol>
  );
}

function ChainLimit({ limit, isFirst }: { limit: Limit; isFirst: boolean }) {
  const { label, hint } = enforcementWords[limit.enforcement];
  const amount = toUsdText(limit.limit_usd);
  return (
    <div className="grid gap-1.5">
      <p className="flex flex-wrap items-center gap-x-3 gap-y-1 text-sm">
        <span>
          <Link
            to="/spend-limits/$spendLimitId"
            params={{ spendLimitId: limit.id } as never}
            className="figures font-medium hover:underline"
          >
            {formatUsd(amount)}
          </Link>{" "}
          {periodWords[limit.period]}
        </span>
        <Badge tone={limit.enforcement === "alert_only" ? "plain" : "accent"}>{label}</Badge>
        {isHeldInSteps(limit) && <Badge>In steps</Badge>}
        {isRefusingUnknown(limit) && <Badge>Refuses unknown features</Badge>}
        {isFirst && <Badge tone="warn">Applies first</Badge>}
        {limit.blocks_now && <Badge tone="bad">Blocks requests</Badge>}
        {limit.state === "activating" && <Badge>Activating</Badge>}
        <span className="text-quiet">
          Resets <RelativeTime at={limit.period_ends_at} />
        </span>
        <span className="text-quiet">{describeOrigin(limit)}</span>
      </p>
      <SpendBar
        spentUsd={limit.spent_usd}
        heldUsd={limit.held_usd}
        unresolvedUsd={limit.unresolved_usd}
        limitUsd={amount}
        isExplained
        isAdvisory={limit.enforcement === "alert_only"}
      />
      <p className="text-sm text-quiet">
        {limit.state === "activating"
          ? "New or lowered limits take effect on all nodes within about a second."
          : hint}
      </p>
    </div>
  );
}
