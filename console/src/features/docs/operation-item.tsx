import { ChevronRight } from "lucide-react";
import { lazy, memo, Suspense } from "react";
import { classNames } from "../../ui/class-names.ts";
import { Skeleton } from "../../ui/states.tsx";
import { findOperationView, loadOperationView } from "./load-operation-view.ts";
import type { OperationEntry } from "./reference.ts";

const LateView = lazy(async () => ({ default: await loadOperationView() }));

const methodLooks: Readonly<Record<string, string>> = {
  GET: "text-good",
  POST: "text-accent",
  DELETE: "text-bad",
};

interface OperationItemProps {
  operation: OperationEntry;
  isOpen: boolean;
  onToggle: (id: string) => void;
}

/** Row of an operation. Its details are loaded when it is first opened. */
export const OperationItem = memo(function OperationItem(props: OperationItemProps) {
  const { operation, isOpen, onToggle } = props;
  const { id, method, path, summary } = operation;
  const OperationView = findOperationView() ?? LateView;
  return (
    <li id={id} className="group scroll-mt-20 border-b border-line">
      <div className="flex items-start">
        <h4 className="min-w-0 flex-1">
          <button
            type="button"
            aria-expanded={isOpen}
            aria-controls={`${id}-details`}
            onClick={() => onToggle(id)}
            className="grid w-full grid-cols-[1rem_minmax(0,1fr)] items-baseline gap-x-2 rounded-sm py-2 text-left hover:bg-sunk/60 md:grid-cols-[1rem_minmax(0,1fr)_minmax(0,1.2fr)]"
          >
            <ChevronRight
              size={14}
              aria-hidden="true"
              className={classNames(
                "self-center text-faint transition-transform",
                isOpen && "rotate-90",
              )}
            />
            <span className={classNames("text-sm", isOpen && "font-medium")}>{summary}</span>
            <span className="text-sm text-quiet max-md:col-start-2">
              <span className={classNames("mr-1.5 text-xs font-semibold", methodLooks[method])}>
                {method}
              </span>
              <code className="[overflow-wrap:anywhere]">{path}</code>
            </span>
          </button>
        </h4>
        <a
          href={`#${id}`}
          aria-label={`Link to ${summary}`}
          className="no-print target self-center rounded-sm px-1.5 text-faint opacity-0 group-hover:opacity-100 hover:text-accent focus-visible:opacity-100 pointer-coarse:opacity-100"
        >
          #
        </a>
      </div>
      <div id={`${id}-details`}>
        {isOpen && (
          <Suspense fallback={<Loading />}>
            <OperationView operation={operation} />
          </Suspense>
        )}
      </div>
    </li>
  );
});

/** As high as the screen, so that no row below moves in view when the details arrive. */
function Loading() {
  return (
    <div role="status" className="grid h-dvh content-start gap-2 py-3 pl-6">
      <span className="sr-only">Loading…</span>
      <Skeleton className="w-2/3" />
      <Skeleton className="w-1/2" />
    </div>
  );
}
