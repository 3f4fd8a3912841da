import { type ReactNode, use } from "react";
import { createPortal } from "react-dom";
import { EffectsContext } from "../../ui/overlay-context.ts";
import { Skeleton } from "../../ui/states.tsx";

/** A query that sentences need, such as the answer of `useApi`. A disabled query does not load. */
export interface CountQuery {
  isLoading: boolean;
  /** True: there is no answer at all. */
  isLoadingError: boolean;
}

interface ConsequencesProps {
  /** One short sentence for each effect. A sentence whose count is unknown is left out. */
  sentences: readonly string[];
  /** Queries of counts. Each one reserves a line while it loads. */
  counts?: readonly CountQuery[];
}

/**
 * Effects of a change, before the change is confirmed. Draws nothing for a change without effects. The form of a dialog
 * shows them above its buttons, where they are always in view.
 */
export function Consequences({ sentences, counts = [] }: ConsequencesProps) {
  const loading = counts.filter(({ isLoading }) => isLoading).length;
  const isIncomplete = counts.some(({ isLoadingError }) => isLoadingError);
  const isShown = sentences.length + loading > 0 || isIncomplete;
  return (
    <Placed>
      {/* A busy region is read once, when all counts are there. */}
      <div role="status" aria-busy={loading > 0} className="empty:hidden">
        {isShown && (
          <div className="grid gap-1.5 rounded-md bg-warn-wash px-3 py-2 text-sm text-warn">
            <p className="font-semibold">Effects at once</p>
            <ul className="grid list-disc gap-1 pl-5 break-words">
              {sentences.map((sentence) => (
                <li key={sentence}>{sentence}</li>
              ))}
              {Array.from({ length: loading }, (_, line) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: these lines have no other id.
                <li key={line} className="list-none">
                  <Skeleton className="my-0.5 w-2/3" />
                </li>
              ))}
            </ul>
            {isIncomplete && <p>Some numbers could not be loaded. You can still confirm.</p>}
          </div>
        )}
      </div>
    </Placed>
  );
}

function Placed({ children }: { children: ReactNode }) {
  const place = use(EffectsContext);
  return place ? createPortal(children, place) : children;
}
