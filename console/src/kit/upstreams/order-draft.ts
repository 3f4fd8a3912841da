import { useState } from "react";

export interface OrderDraft {
  /** Shown order. */
  ids: readonly string[];
  isDirty: boolean;
  change: (ids: readonly string[]) => void;
  discard: () => void;
}

/** An order while a member edits it. A new stored order ends the editing. */
export function useOrderDraft(saved: readonly string[]): OrderDraft {
  const over = saved.join(" ");
  const [draft, setDraft] = useState<{ over: string; ids: readonly string[] } | null>(null);
  const ids = draft?.over === over ? draft.ids : saved;
  return {
    ids,
    isDirty: ids.join(" ") !== over,
    change: (next) => setDraft({ over, ids: next }),
    discard: () => setDraft(null),
  };
}
