import { Link } from "@tanstack/react-router";
import { Badge } from "../../ui/badge.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { formatDaysIn, formatPlural } from "../../ui/format.ts";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { ErrorState, SkeletonRows } from "../../ui/states.tsx";
import { DeliveryStates } from "./delivery-states.tsx";
import { type Firing, type Group, useFiringsOfGroup } from "./queries.ts";
import type { FiringView } from "./search.ts";
import { kindWords } from "./words.ts";

/** Firings of a group, newest first. Firings with one sentence are one entry with the names of their rules. */
export function GroupDrawer(props: { group: Group; view: FiringView; onClose: () => void }) {
  const { group, view, onClose } = props;
  const firings = useFiringsOfGroup(group.id, view);
  const listed = firings.data?.data ?? [];
  const left = group.firings - listed.length;
  return (
    <Dialog
      title={kindWords[group.kind].label}
      description={`${group.scope_name} · ${formatPlural(group.firings, "firing")}`}
      isOpen
      isDrawer
      onClose={onClose}
    >
      {firings.error && <ErrorState error={firings.error} onRetry={() => void firings.refetch()} />}
      {firings.isPending && <SkeletonRows rows={4} />}
      <ul className="divide-y divide-line">
        {groupBySentence(listed).map(([first, ...others]) => (
          <FiringEntry key={first.id} firing={first} others={others} />
        ))}
      </ul>
      {firings.data && left > 0 && (
        <p className="text-sm text-quiet">
          {formatPlural(left, "older firing")} {left === 1 ? "is" : "are"} not shown.
        </p>
      )}
    </Dialog>
  );
}

type Entry = [Firing, ...Firing[]];

/** Firings of several rules about one moment have the same sentence. */
function groupBySentence(firings: readonly Firing[]): Entry[] {
  const entries = new Map<string, Entry>();
  for (const firing of firings) {
    const key = `${firing.title} ${firing.fired_at}`;
    const entry = entries.get(key);
    if (entry) entry.push(firing);
    else entries.set(key, [firing]);
  }
  return [...entries.values()];
}

function FiringEntry({ firing, others }: { firing: Firing; others: readonly Firing[] }) {
  const all = [firing, ...others];
  const rules = [...new Set(all.map(({ alert }) => alert.name))].join(", ");
  const thresholds = [...new Set(all.map(({ threshold }) => threshold))].join(", ");
  return (
    <li className="grid gap-1 py-3 text-sm">
      <p className="flex items-start justify-between gap-4">
        <Link
          to="/alerts/firings/$firingId"
          params={{ firingId: firing.id }}
          className="link font-medium"
        >
          {formatDaysIn(firing.title)}
        </Link>
        {firing.acknowledged_at ? (
          <Badge tone="good">acknowledged</Badge>
        ) : (
          <Badge tone="warn">open</Badge>
        )}
      </p>
      <p className="flex flex-wrap items-center gap-x-3 gap-y-1 text-quiet">
        <RelativeTime at={firing.fired_at} />
        <span>
          {rules} · {thresholds}
        </span>
        <DeliveryStates firing={firing} />
      </p>
      {firing.note && <p>{firing.note}</p>}
    </li>
  );
}
