import { X } from "lucide-react";
import type { ReactNode } from "react";
import { IconButton } from "./button.tsx";
import { formatCount } from "./format.ts";
import type { Selection } from "./selection.ts";

interface SelectionBarProps {
  selection: Selection;
  /** Buttons that change the selected rows. */
  children: ReactNode;
}

/** Number of selected rows with their actions, at the lower edge of the screen. Empty without a selected row. */
export function SelectionBar({ selection, children }: SelectionBarProps) {
  const { selected, onChange } = selection;
  const words = selected.size > 0 ? `${formatCount(selected.size)} selected` : "";
  return (
    <>
      <p role="status" className="sr-only">
        {words}
      </p>
      {words && (
        <section
          aria-label="Selection"
          data-selection
          className="no-print sticky bottom-4 z-30 mx-auto flex w-fit max-w-full flex-wrap max-sm:w-full items-center gap-2.5 rounded-lg border border-line bg-raised py-2 pr-2 pl-4 shadow-popup"
        >
          <span
            aria-hidden="true"
            className="figures text-sm font-medium max-sm:w-full max-sm:py-1"
          >
            {words}
          </span>
          {children}
          <IconButton
            label="Clear selection"
            className="max-sm:absolute max-sm:top-2 max-sm:right-2"
            onClick={() => onChange(new Set())}
          >
            <X size={16} />
          </IconButton>
        </section>
      )}
    </>
  );
}
