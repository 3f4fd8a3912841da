import type { ReactNode } from "react";
import { classNames } from "../../ui/class-names.ts";
import { formatCount } from "../../ui/format.ts";
import { Skeleton } from "../../ui/states.tsx";
import { MAX_ROWS, type TriagePart } from "./triage-parts.ts";

// A part of the triage. Each row has the same height, so that the space of a part is known before its rows.

/** Heights of a row. A narrow one has two lines of facts, and a sentence has two lines at every width. */
const heights = {
  facts: { row: "h-14 max-sm:h-19", part: "[--row:3.5rem] max-sm:[--row:4.75rem]" },
  sentence: { row: "h-19", part: "[--row:4.75rem]" },
};

interface PartProps {
  part: TriagePart;
  title: string;
  /** Number in the heading. Default: that of the part. */
  count?: number | undefined;
  /** Link to the whole list. */
  all: ReactNode;
  query: { isPending: boolean; error: Error | null };
  /** The names of the rows are sentences. */
  hasSentences?: true;
  /** Rows. Undefined: not loaded. */
  children: ReactNode;
}

/** A list of at most five rows. An error stays inside the part. */
export function Part(props: PartProps) {
  const { part, title, count = part.count, all, query, children } = props;
  const height = props.hasSentences ? heights.sentence : heights.facts;
  return (
    <section className="grid content-start gap-2">
      <div className="flex items-baseline gap-3">
        <h2>
          {title} <span className="figures font-sans text-sm text-quiet">{formatCount(count)}</span>
        </h2>
        <span className="ml-auto text-sm *:target">{all}</span>
      </div>
      <div
        className={classNames("border-y border-line text-sm", height.part)}
        style={{ minHeight: `calc(var(--row) * ${part.rows})` }}
      >
        {query.isPending ? (
          <Placeholder rows={part.rows} rowHeight={height.row} />
        ) : query.error && !children ? (
          <p role="alert" className="content-center py-4 text-bad">
            {query.error.message}
          </p>
        ) : (
          <ul className="divide-y divide-line">{children}</ul>
        )}
      </div>
    </section>
  );
}

function Placeholder({ rows, rowHeight }: { rows: number; rowHeight: string }) {
  return (
    <div role="status" className="divide-y divide-line">
      <span className="sr-only">Loading…</span>
      {Array.from({ length: Math.min(rows, MAX_ROWS) }, (_, row) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: these rows have no other id.
        <div key={row} className={classNames("grid content-center gap-2", rowHeight)}>
          <Skeleton className="w-1/2" />
          <Skeleton className="h-3 w-1/3" />
        </div>
      ))}
    </div>
  );
}

interface RowProps {
  /** Name of the thing, usually a link. */
  name: ReactNode;
  /** The name is a sentence of up to two lines. Its note has one line, on narrow screens beside the end. */
  isSentence?: true;
  /** State beside the name. */
  badge?: ReactNode;
  /** Facts in the second line. */
  note: ReactNode;
  /** Action or time at the end. */
  end?: ReactNode;
}

export function Row({ name, isSentence, badge, note, end }: RowProps) {
  return (
    <li
      className={classNames(
        "relative flex items-center gap-4",
        isSentence ? heights.sentence.row : heights.facts.row,
      )}
    >
      {/* For a finger, the link of the name fills the row. */}
      <span className="grid min-w-0 flex-1 gap-0.5">
        <span className="flex min-w-0 items-center gap-2 pointer-coarse:[&_a]:after:absolute pointer-coarse:[&_a]:after:inset-0">
          <span className={classNames("font-medium", isSentence ? "line-clamp-2" : "truncate")}>
            {name}
          </span>
          {badge}
        </span>
        <span
          className={classNames(
            "text-quiet sm:truncate",
            isSentence ? "max-sm:truncate max-sm:pr-42" : "max-sm:line-clamp-2",
          )}
        >
          {note}
        </span>
      </span>
      {end && (
        <span
          className={classNames(
            "z-10 shrink-0 text-right *:[a]:target",
            isSentence ? "max-sm:absolute max-sm:right-0 max-sm:bottom-1.5" : "relative",
          )}
        >
          {end}
        </span>
      )}
    </li>
  );
}
