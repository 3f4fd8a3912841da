import type { ReactNode } from "react";
import { Skeleton } from "./states.tsx";

/** One figure with its name. A StatRow contains several. */
export function Stat({
  label,
  value,
  note,
  hasNote = false,
}: {
  label: string;
  value: ReactNode | undefined;
  note?: ReactNode;
  /** Reserves the space of a note while the figure loads. */
  hasNote?: boolean;
}) {
  return (
    <div className="grid content-start gap-1 py-4 sm:px-6 sm:first:pl-0 print:px-3">
      <dt className="text-sm text-quiet">{label}</dt>
      <dd className="figures font-serif text-[1.625rem] leading-tight font-[520] tracking-[-0.01em] print:text-lg">
        {value ?? <Skeleton className="mt-2 h-6 w-24" />}
      </dd>
      {note && <dd className="text-sm text-quiet">{note}</dd>}
      {hasNote && value === undefined && (
        // A note has two lines on narrow screens.
        <dd className="max-sm:min-h-10.5">
          <Skeleton className="my-0.5 w-32" />
        </dd>
      )}
    </div>
  );
}

export function StatRow({ children }: { children: ReactNode }) {
  return (
    <dl className="grid grid-cols-2 gap-x-6 divide-line border-y border-line sm:grid-flow-col sm:auto-cols-fr sm:grid-cols-none sm:gap-x-0 sm:divide-x">
      {children}
    </dl>
  );
}
