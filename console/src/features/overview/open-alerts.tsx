import { Link } from "@tanstack/react-router";
import { type ItemOf, useApi } from "../../queries.ts";
import { Badge, type Tone } from "../../ui/badge.tsx";
import { formatDaysIn, formatPlural } from "../../ui/format.ts";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { Part, Row } from "./triage-part.tsx";
import { openAlertsQuery, type TriagePart } from "./triage-parts.ts";

const EVERY_MS = 30_000;

type Severity = ItemOf<"listAlertGroups">["severity"];

const tones: Record<Severity, Tone> = { critical: "bad", warning: "warn", info: "plain" };

/** "Rule Forecast", or "3 alerts of Forecast, Budget" for several. */
function describeRules({ firings, alerts }: Pick<ItemOf<"listAlertGroups">, "firings" | "alerts">) {
  const names = alerts.map(({ name }) => name).join(", ");
  return firings === 1 ? `Rule ${names}` : `${formatPlural(firings, "alert")} of ${names}`;
}

/** The most severe open alerts, one row for each cause and scope. */
export function OpenAlerts({ part }: { part: TriagePart }) {
  const groups = useApi("listAlertGroups", { query: openAlertsQuery }, { everyMs: EVERY_MS });
  const all = (
    <Link to="/alerts" className="link">
      All alerts
    </Link>
  );
  return (
    <Part part={part} title="Open alerts" all={all} query={groups} hasSentences>
      {groups.data?.data.map((group) => (
        <Row
          key={group.id}
          isSentence
          name={
            <Link
              to="/alerts/firings/$firingId"
              params={{ firingId: group.newest_firing_id }}
              title={group.title}
              className="hover:underline"
            >
              {formatDaysIn(group.title)}
            </Link>
          }
          note={describeRules(group)}
          end={
            <span className="flex items-center gap-2 sm:grid sm:justify-items-end sm:gap-0.5">
              <Badge tone={tones[group.severity]}>{group.severity}</Badge>
              <span className="text-quiet">
                <RelativeTime at={group.last_fired_at} />
              </span>
            </span>
          }
        />
      ))}
    </Part>
  );
}
