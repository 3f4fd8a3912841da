import { Link } from "@tanstack/react-router";
import { useAssignedReviews } from "../../kit/access-reviews/assigned-reviews.ts";
import { stateOf } from "../../kit/access-reviews/review-state.ts";
import { useBadges } from "../../kit/badges.ts";
import { nameCause } from "../../kit/requests/refusal-words.ts";
import { scopeLabel } from "../../kit/scopes/scope-names.ts";
import { useUpstreams } from "../../kit/upstreams/queries.ts";
import { useApi } from "../../queries.ts";
import { Badge } from "../../ui/badge.tsx";
import { formatCount, formatPlural, formatUsd } from "../../ui/format.ts";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { useNow } from "../../ui/use-now.ts";
import { useOrganizationCounts } from "./queries.ts";
import { Part, Row } from "./triage-part.tsx";
import { MAX_ROWS, type TriagePart } from "./triage-parts.ts";

// Parts for decisions, failures, keys that expire, and refusals.

const EVERY_MS = 30_000;
/** Increase requests among which those to decide are found. */
const MAX_READ = 50;
const EXPIRING_DAYS = 14;
/** The list of keys is newest first. The next ones to expire among these are shown. */
const MAX_KEYS_READ = 1_000;
const DAY_MS = 86_400_000;

interface PartProps {
  part: TriagePart;
}

/** Reviews come first, because they have a due date. */
export function ToDecide({ part }: PartProps) {
  const { increase_requests, access_reviews } = useBadges();
  const nowMs = useNow();
  const reviews = useAssignedReviews({ isEnabled: (access_reviews ?? 0) > 0 });
  const requests = useApi(
    "listIncreaseRequests",
    { query: { statuses: ["pending"], limit: MAX_READ } },
    { isEnabled: (increase_requests ?? 0) > 0, everyMs: EVERY_MS },
  );
  const doubtful = useOrganizationCounts().data?.doubtful_requests ?? 0;
  const waiting = (reviews.data?.items ?? []).filter(({ assigned }) => assigned.undecided > 0);
  const decidable = (requests.data?.data ?? []).filter(({ can_resolve }) => can_resolve);
  const rows = [
    ...decidable.map((request) => (
      <Row
        key={request.id}
        name={
          <Link
            to="/increase-requests/$requestId"
            params={{ requestId: request.id }}
            className="hover:underline"
          >
            Higher limit for {scopeLabel(request.scope.type, request.scope_name)}
          </Link>
        }
        note={`${formatUsd(request.limit_usd ?? request.limit_when_asked_usd)} → ${formatUsd(request.amount_usd)} ${request.period}, ${request.reason}`}
        end={<Quiet at={request.created_at} />}
      />
    )),
    ...waiting.map((review) => {
      const { text, tone } = stateOf(review, nowMs);
      return (
        <Row
          key={review.id}
          name={
            <Link
              to="/access-reviews/$reviewId/decide"
              params={{ reviewId: review.id }}
              className="hover:underline"
            >
              {review.name}
            </Link>
          }
          badge={<Badge tone={tone}>{text}</Badge>}
          note={`Access review: ${formatCount(review.assigned.undecided)} of ${formatCount(review.assigned.items)} to decide`}
        />
      );
    }),
    ...(doubtful > 0
      ? [
          <Row
            key="doubtful"
            name={
              <Link to="/requests" search={{ doubt: "open" }} className="hover:underline">
                {formatPlural(doubtful, "doubtful cost")}
              </Link>
            }
            note="The upstream reported no usage, or usage that cannot be true."
          />,
        ]
      : []),
  ];
  const query = {
    isPending: reviews.isLoading || requests.isLoading,
    error: reviews.error ?? requests.error,
  };
  const all = (
    <Link to="/increase-requests" className="link">
      All requests
    </Link>
  );
  return (
    <Part part={part} title="To decide" all={all} query={query}>
      {rows.length > 0 && rows.slice(0, MAX_ROWS)}
    </Part>
  );
}

export function Failing({ part }: PartProps) {
  const { failing_channels, failing_upstreams } = useBadges();
  const channels = useApi(
    "listAlertChannels",
    { query: { is_failing: true, limit: MAX_ROWS } },
    { isEnabled: (failing_channels ?? 0) > 0, everyMs: EVERY_MS },
  );
  const isUpstreamFailing = (failing_upstreams ?? 0) > 0;
  const health = useApi(
    "getUpstreamHealth",
    {},
    { isEnabled: isUpstreamFailing, everyMs: EVERY_MS },
  );
  const upstreams = useUpstreams(isUpstreamFailing);
  const worst = (channels.data?.data ?? []).toSorted(
    (a, b) => b.failures_in_a_row - a.failures_in_a_row,
  );
  const rows = [
    ...(health.data
      ? [
          <Row
            key="upstream"
            name={
              <Link to="/upstreams" className="hover:underline">
                {nameUpstreams(upstreams.data?.items ?? [])}
              </Link>
            }
            badge={<Badge tone="bad">failing</Badge>}
            note={`${formatCount(health.data.failed_requests)} of ${formatPlural(health.data.requests, "request")} failed in the last ${health.data.minutes} minutes`}
            end={
              <Link to="/requests" search={{ range: "1h" }} className="link">
                Show requests
              </Link>
            }
          />,
        ]
      : []),
    ...worst.map((channel) => (
      <Row
        key={channel.id}
        name={
          <Link to="/alerts/channels" className="hover:underline">
            {channel.name}
          </Link>
        }
        badge={<Badge tone="bad">{channel.state === "paused" ? "paused" : "failing"}</Badge>}
        note={`Alert messages fail: ${formatPlural(channel.failures_in_a_row, "failure")} in a row`}
        end={channel.last_delivery && <Quiet at={channel.last_delivery.at} />}
      />
    )),
  ];
  const query = {
    isPending: channels.isLoading || health.isLoading,
    error: channels.error ?? health.error,
  };
  const all = (
    <Link to="/alerts/channels" className="link">
      All channels
    </Link>
  );
  return (
    <Part part={part} title="Failing" all={all} query={query}>
      {rows.length > 0 && rows.slice(0, MAX_ROWS)}
    </Part>
  );
}

export function ExpiringKeys({ part }: PartProps) {
  const query = {
    ...({ status: "active", limit: MAX_KEYS_READ } as const),
    expiring_within_days: EXPIRING_DAYS,
  };
  const keys = useApi("listApiKeys", { query }, { everyMs: 60_000 });
  const next = keys.data?.data.toSorted((a, b) =>
    (a.expires_at ?? "").localeCompare(b.expires_at ?? ""),
  );
  const all = (
    <Link to="/api-keys" search={{ issue: "expires_within_14_days" }} className="link">
      All of these keys
    </Link>
  );
  return (
    <Part part={part} title="Keys that expire" all={all} query={keys}>
      {next?.slice(0, MAX_ROWS).map((key) => (
        <Row
          key={key.id}
          name={
            <Link to="/api-keys/$keyId" params={{ keyId: key.id }} className="hover:underline">
              {key.name}
            </Link>
          }
          note={
            key.last_used ? (
              <>
                Last used <RelativeTime at={key.last_used.at} />
              </>
            ) : (
              "Never used"
            )
          }
          end={
            <Badge tone="warn">
              <RelativeTime at={key.expires_at} />
            </Badge>
          }
        />
      ))}
    </Part>
  );
}

export function RefusedToday({ part }: PartProps) {
  const nowMs = useNow();
  const today = new Date(Math.floor(nowMs / DAY_MS) * DAY_MS).toISOString();
  const query = { group_by: ["error_code" as const], starting_at: today, limit: MAX_ROWS };
  const counts = useApi("getRefusals", { query }, { everyMs: EVERY_MS });
  const at = today.slice(0, 10);
  const all = (
    <Link to="/requests" search={{ refused: true, at }} className="link">
      All refused requests
    </Link>
  );
  return (
    <Part
      part={part}
      title="Refused today"
      count={counts.data?.totals.requests}
      all={all}
      query={counts}
    >
      {counts.data?.data.map(({ error_code: code, requests }) => (
        <Row
          key={code}
          name={
            <Link
              to="/requests"
              search={{ refused: true, at, code: [code ?? ""] }}
              className="hover:underline"
            >
              {nameCause(code ?? "")}
            </Link>
          }
          note={<code>{code}</code>}
          end={<span className="figures">{formatPlural(requests, "request")}</span>}
        />
      ))}
    </Part>
  );
}

function Quiet({ at }: { at: string | null | undefined }) {
  return (
    <span className="text-quiet">
      <RelativeTime at={at} />
    </span>
  );
}

/** The health is that of all upstreams together. */
function nameUpstreams([first, second]: readonly { name: string }[]): string {
  return first && !second ? `Upstream ${first.name}` : "Upstreams";
}
