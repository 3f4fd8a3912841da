import { SlidersHorizontal } from "lucide-react";
import { type ReactNode, useId, useState } from "react";
import { Button } from "./button.tsx";
import { classNames } from "./class-names.ts";

interface NarrowFiltersProps {
  /** Number of filters with a value. */
  count: number;
  children: ReactNode;
}

/** Filters of a page. On narrow screens, a button shows them, so that the list starts on the first screen. */
export function NarrowFilters({ count, children }: NarrowFiltersProps) {
  const [isOpen, setIsOpen] = useState(false);
  const id = useId();
  return (
    <>
      <Button
        className="sm:hidden"
        aria-expanded={isOpen}
        aria-controls={id}
        onClick={() => setIsOpen(!isOpen)}
      >
        <SlidersHorizontal size={15} /> Filters{count > 0 && ` (${count})`}
      </Button>
      <div id={id} className={classNames("contents", !isOpen && "max-sm:hidden")}>
        {children}
      </div>
    </>
  );
}
