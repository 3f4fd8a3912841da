import { Link } from "@tanstack/react-router";
import { classNames } from "../../ui/class-names.ts";
import { formatDaysIn, formatIsoDay, formatPlural, formatTime } from "../../ui/format.ts";
import { useDebounced } from "../../ui/use-debounced.ts";
import { type Preview, type PreviewBody, usePreview } from "./queries.ts";
import { describeCondition } from "./words.ts";

const PAUSE_MS = 500;
/** Maximum entries of each list. */
const MAX_SHOWN = 4;

/** Existing rules that cover the rule of the form, and what it would have sent. Null: nothing to preview yet. */
export function AlertPreview({ body }: { body: PreviewBody | null }) {
  const settled = useDebounced(JSON.stringify(body), PAUSE_MS);
  const preview = usePreview(JSON.parse(settled) as PreviewBody | null);
  const { data, error } = preview;
  return (
    <section aria-label="Preview" className="grid gap-4 rounded-md bg-sunk px-4 py-3 text-sm">
      {body === null ? (
        <p className="text-quiet">The preview appears when the rule is complete.</p>
      ) : error ? (
        <p className="text-quiet">No preview: {error.message}</p>
      ) : !data ? (
        <p className="text-quiet">Computing the preview…</p>
      ) : (
        <div aria-busy={preview.isFetching} className="grid gap-4">
          <Covering preview={data} />
          <Replay preview={data} />
        </div>
      )}
    </section>
  );
}

function Covering({ preview: { covered_by: covering, adds_nothing } }: { preview: Preview }) {
  if (covering.length === 0) {
    return <p>No other rule covers this scope and cause.</p>;
  }
  const left = covering.length - MAX_SHOWN;
  return (
    <div className="grid gap-1.5">
      {adds_nothing ? (
        <p role="status" className="font-medium text-warn">
          This rule adds nothing: its messages are sent already.
        </p>
      ) : (
        <p className="font-medium">Already covered</p>
      )}
      <ul className="grid gap-1">
        {covering.slice(0, MAX_SHOWN).map((rule) => (
          <li key={rule.id}>
            {rule.coverage === "whole" ? "Covered by " : "Covered in part by "}
            <Link to="/alerts/rules" hash={rule.id} target="_blank" className="link">
              {rule.name}
            </Link>
            <span className="text-quiet">
              {" "}
              · {describeCondition(rule.condition)} · {rule.scope_name}
              {rule.includes_below && " and child scopes"}
              {!rule.is_enabled && " · off"}
            </span>
          </li>
        ))}
      </ul>
      {left > 0 && <p className="text-quiet">and {formatPlural(left, "more rule")}</p>}
      {!adds_nothing && (
        <p className="text-quiet">
          Firings of several rules with the same cause share one message to each receiver.
        </p>
      )}
    </div>
  );
}

function Replay({ preview: { replay, note } }: { preview: Preview }) {
  if (replay === null) return <p className="text-quiet">{note}</p>;
  const left = replay.firings - MAX_SHOWN;
  return (
    <div className="grid gap-2">
      <p className="font-medium">
        Last 30 days:{" "}
        {replay.firings === 0
          ? "no message"
          : `${formatPlural(replay.messages, "message")} about ${formatPlural(replay.firings, "firing")}`}
      </p>
      {replay.firings > 0 && <FiringDays days={replay.days} />}
      {replay.newest.length > 0 && (
        <ul className="grid gap-1">
          {replay.newest.slice(0, MAX_SHOWN).map((firing) => (
            <li key={`${firing.at} ${firing.scope_name} ${firing.threshold}`}>
              <span className="block">{formatDaysIn(firing.title)}</span>
              <span className="block text-xs text-quiet">
                {formatTime(firing.at)} · {firing.threshold}
              </span>
            </li>
          ))}
        </ul>
      )}
      {left > 0 && <p className="text-quiet">and {formatPlural(left, "earlier firing")}</p>}
      <p className="text-xs text-quiet">
        {note}
        {replay.scopes_left_out > 0 &&
          ` ${formatPlural(replay.scopes, "scope")} with the highest spend, ${formatPlural(replay.scopes_left_out, "other")} left out.`}
      </p>
    </div>
  );
}

type Days = NonNullable<Preview["replay"]>["days"];

/** One bar for each day. The list below has the same facts as text. */
function FiringDays({ days }: { days: Days }) {
  const most = Math.max(...days.map(({ firings }) => firings));
  const busy = days.filter(({ firings }) => firings > 0);
  const words = busy
    .map(({ date, firings }) => `${formatIsoDay(date)}: ${formatPlural(firings, "firing")}`)
    .join(", ");
  return (
    <div role="img" aria-label={words} className="flex h-10 items-end gap-px">
      {days.map(({ date, firings }) => (
        <span
          key={date}
          title={`${formatIsoDay(date)}: ${formatPlural(firings, "firing")}`}
          style={{ height: `${firings === 0 ? 4 : Math.max(15, (firings / most) * 100)}%` }}
          className={classNames("flex-1 rounded-t-xs", firings > 0 ? "bg-accent" : "bg-line")}
        />
      ))}
    </div>
  );
}
