import { Plus } from "lucide-react";
import { type ReactNode, useState } from "react";
import { Button } from "../../ui/button.tsx";
import { findMatches } from "../../ui/matches.ts";
import { SearchBox } from "../../ui/search-box.tsx";

// What lists of limits have in common, whether of spend or of a rate.

/** So many are read at a glance; more are searched. */
const FEW = 10;

interface SearchedLimitsProps<Row> {
  /** `limit` */
  what: string;
  rows: readonly Row[];
  nameOf: (row: Row) => string;
  /** The button that sets another, where the list has it and not its heading. */
  create: ReactNode;
  /** Instead of all that, where there is none. */
  empty: ReactNode;
  /** Below the list. */
  note: ReactNode;
  children: (found: readonly Row[]) => ReactNode;
}

export function SearchedLimits<Row>(props: SearchedLimitsProps<Row>) {
  const { what, rows, nameOf, create, empty, note, children } = props;
  const [find, setFind] = useState("");
  if (rows.length === 0) return empty;
  const found = findMatches(rows, nameOf, find, rows.length);
  const isLong = rows.length > FEW;
  return (
    <>
      {(create || isLong) && (
        <div className="flex flex-wrap items-center gap-2.5">
          {isLong && (
            <SearchBox
              label={`Search ${what}s`}
              placeholder="Search workspace or key"
              value={find}
              onFind={setFind}
            />
          )}
          {create && <span className="ml-auto">{create}</span>}
        </div>
      )}
      {found.length > 0 ? (
        children(found)
      ) : (
        <p className="text-quiet">
          No {what} matches “{find}”.
        </p>
      )}
      <p className="max-w-3xl text-sm text-pretty text-quiet">{note}</p>
    </>
  );
}

interface NewLimitButtonProps {
  what: string;
  /** What `c` presses on the page. */
  isFirst?: boolean;
  children: (onClose: () => void) => ReactNode;
}

/** For the heading of a list: opens the dialog that sets another. */
export function NewLimitButton({ what, isFirst, children }: NewLimitButtonProps) {
  const [isOpen, setIsOpen] = useState(false);
  return (
    <>
      <Button data-create={isFirst || undefined} onClick={() => setIsOpen(true)}>
        <Plus size={16} /> Set {what}…
      </Button>
      {isOpen && children(() => setIsOpen(false))}
    </>
  );
}
