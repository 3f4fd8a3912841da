import { Link } from "@tanstack/react-router";
import type { SpendLimit } from "../../kit/spend-limits/queries.ts";
import { formatPlural, formatUsd } from "../../ui/format.ts";
import { Section } from "../../ui/page.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { FormError, SkeletonRows } from "../../ui/states.tsx";
import { type Overrun, useLimitOverruns } from "./queries.ts";

const SHOWN_REQUESTS = 3;

/** Spend beyond the limit, by minute, with its requests and the alert that fired. */
export function LimitOverruns({ limit }: { limit: SpendLimit }) {
  const overruns = useLimitOverruns(limit.id);
  return (
    <Section
      title="Overruns"
      lead="Spend that was recorded beyond the limit of its time, in all periods."
    >
      {overruns.error ? (
        <FormError error={overruns.error} />
      ) : !overruns.data ? (
        <SkeletonRows rows={1} />
      ) : overruns.data.items.length === 0 ? (
        <p className="text-quiet">No overruns.</p>
      ) : (
        <ul className="divide-y divide-line border-y border-line">
          {overruns.data.items.map((overrun) => (
            <OverrunRow key={`${overrun.at} ${overrun.period_starts_at}`} overrun={overrun} />
          ))}
        </ul>
      )}
    </Section>
  );
}

function OverrunRow({ overrun }: { overrun: Overrun }) {
  const { firings } = overrun;
  return (
    <li className="grid gap-x-6 gap-y-1 py-3 text-sm sm:grid-cols-[8rem_minmax(0,1fr)] sm:items-baseline">
      <p className="text-quiet">
        <RelativeTime at={overrun.at} />
      </p>
      <div className="grid gap-1">
        <p>
          <span className="figures font-medium text-bad">{formatUsd(overrun.overrun_usd)}</span>{" "}
          beyond the limit of <span className="figures">{formatUsd(overrun.limit_usd)}</span>
          <span className="text-quiet">
            . Spent: <span className="figures">{formatUsd(overrun.spent_usd)}</span>.
          </span>
        </p>
        <OverrunRequests overrun={overrun} />
        <p className="flex flex-wrap gap-x-3 text-quiet">
          {firings.length === 0
            ? "No alert fired."
            : firings.map(({ id, alert }) => (
                <Link
                  key={id}
                  to="/alerts/firings/$firingId"
                  params={{ firingId: id } as never}
                  className="link"
                >
                  Alert {alert.name}
                </Link>
              ))}
        </p>
      </div>
    </li>
  );
}

function OverrunRequests({ overrun: { requests, request_count } }: { overrun: Overrun }) {
  if (request_count === 0) {
    return <p className="text-quiet">No request cost more than its hold.</p>;
  }
  const shown = requests.slice(0, SHOWN_REQUESTS);
  const others = request_count - shown.length;
  return (
    <ul className="grid gap-0.5">
      {shown.map(({ request_id: id, beyond_usd: usd }) => (
        <li key={id} className="flex flex-wrap gap-x-2">
          <Link to="/requests" search={{ request: id }} className="link truncate">
            {id}
          </Link>
          <span className="text-quiet">
            <span className="figures">{formatUsd(usd)}</span> beyond its hold
          </span>
        </li>
      ))}
      {others > 0 && <li className="text-quiet">and {formatPlural(others, "other request")}</li>}
    </ul>
  );
}
