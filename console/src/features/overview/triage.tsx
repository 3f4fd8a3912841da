import { useBadgesQuery } from "../../kit/badges.ts";
import { useMay } from "../../session.ts";
import { ErrorState, Skeleton } from "../../ui/states.tsx";
import { BlockedNow, BlockedSoon, useLimitForecasts } from "./blocked-parts.tsx";
import { OpenAlerts } from "./open-alerts.tsx";
import { ExpiringKeys, Failing, RefusedToday, ToDecide } from "./other-parts.tsx";
import { useOrganizationCounts } from "./queries.ts";
import { listParts, type PartName, splitParts, type TriagePart } from "./triage-parts.ts";

const partOf: Record<PartName, (props: { part: TriagePart }) => React.ReactNode> = {
  blocked_now: BlockedNow,
  blocked_soon: BlockedSoon,
  open_alerts: OpenAlerts,
  to_decide: ToDecide,
  failing: Failing,
  expiring_keys: ExpiringKeys,
  refused_today: RefusedToday,
};

/** The counts that decide which parts the triage has. A missing forecast costs no other part its place. */
export function useTriage() {
  const badges = useBadgesQuery();
  const counts = useOrganizationCounts();
  const forecasts = useLimitForecasts();
  const hasForecasts = useMay()("spend_limits:read");
  const isLoading = badges.isLoading || counts.isLoading || (hasForecasts && forecasts.isLoading);
  const parts =
    badges.data && counts.data && !isLoading
      ? listParts({
          badges: badges.data,
          counts: counts.data,
          forecasts: forecasts.data?.data.length ?? 0,
        })
      : undefined;
  return { parts, counts, error: badges.error ?? counts.error };
}

/** Everything that needs someone now. Each part loads and fails by itself, in its own space. */
export function Triage() {
  const { parts, error } = useTriage();
  if (!parts) return error ? <ErrorState error={error} /> : <Skeleton className="h-56" />;
  if (parts.length === 0) {
    return (
      <p className="border-y border-line py-4 text-quiet">
        Nothing needs you: no limit blocks requests, no alert is open, and nothing waits for a
        decision.
      </p>
    );
  }
  const [left, right] = splitParts(parts);
  return (
    <div className="grid gap-x-12 gap-y-8 lg:grid-cols-2">
      <Column parts={left} />
      {right.length > 0 && <Column parts={right} />}
    </div>
  );
}

function Column({ parts }: { parts: readonly TriagePart[] }) {
  return (
    <div className="grid min-w-0 content-start gap-8">
      {parts.map((part) => {
        const Shown = partOf[part.name];
        return <Shown key={part.name} part={part} />;
      })}
    </div>
  );
}
