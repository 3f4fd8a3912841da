import { useCallback, useEffect, useRef, useState } from "react";
import { type Answer, ApiError, call } from "../../api-client.ts";
import { queryClient } from "../../queries.ts";
import type { Decision } from "./words.ts";

// Decisions are shown at once and sent behind: whoever goes through a list by keyboard does not wait for the network.
// They are sent in the order in which they were taken, many at a time where many wait. A decision can be changed until
// the review ends, and one that is sent twice changes nothing, so that nothing is lost by trying again.

export interface Taken {
  decision: Decision;
  reason: string | null;
  /** Instead of what another reviewer decided. */
  isOverride: boolean;
}

export interface Local extends Taken {
  state: "sending" | "decided" | "refused";
  /** What the server said; null while it is being sent. */
  outcome: Outcomes[number]["outcome"] | null;
  /** Why it was refused; the entry is as it was. */
  message: string | null;
}

type Outcomes = Answer<"decideAccessReviewItems">["results"];

const MAX_AT_ONCE = 200;
const stale = ["getAccessReview", "listAccessReviews", "listAssignedAccessReviews"];
/** Of what is on the screen the entries are known: only the next visit reads them again. */
const staleLater = ["listAccessReviewItems", "listAssignedAccessReviewItems"];

export function useDecisions(reviewId: string) {
  const [locals, setLocals] = useState<ReadonlyMap<string, Local>>(new Map());
  const [error, setError] = useState<Error | null>(null);
  const waiting = useRef(new Map<string, Taken>());
  const isSending = useRef(false);

  const note = useCallback((entries: readonly (readonly [string, Local])[]) => {
    setLocals((before) => new Map([...before, ...entries]));
  }, []);

  const send = useCallback(async () => {
    if (isSending.current) return;
    isSending.current = true;
    setError(null);
    try {
      while (waiting.current.size > 0) {
        const batch = takeBatch(waiting.current);
        const results = await post(reviewId, batch).catch((failure: unknown) => {
          // They wait for another try, behind none that was taken meanwhile.
          waiting.current = new Map([...batch, ...waiting.current]);
          throw failure;
        });
        note(toLocals(batch, results, waiting.current));
      }
    } catch (failure) {
      setError(failure as Error);
      // What the server refuses as a whole, a repetition does not change.
      if (failure instanceof ApiError && failure.status < 500) {
        const refused = [...waiting.current];
        waiting.current.clear();
        const { message } = failure;
        const state = "refused" as const;
        note(refused.map(([id, taken]) => [id, { ...taken, state, outcome: null, message }]));
      }
    } finally {
      isSending.current = false;
      for (const name of stale) void queryClient.invalidateQueries({ queryKey: [name] });
      for (const name of staleLater) {
        void queryClient.invalidateQueries({ queryKey: [name], refetchType: "none" });
      }
    }
  }, [reviewId, note]);

  const decide = useCallback(
    (itemId: string, taken: Taken) => {
      waiting.current.delete(itemId);
      waiting.current.set(itemId, taken);
      note([[itemId, { ...taken, state: "sending", outcome: null, message: null }]]);
      void send();
    },
    [note, send],
  );

  const isUnsent = [...locals.values()].some(({ state }) => state === "sending");
  useEffect(() => {
    if (!isUnsent) return;
    const warn = (event: BeforeUnloadEvent) => event.preventDefault();
    addEventListener("beforeunload", warn);
    return () => removeEventListener("beforeunload", warn);
  }, [isUnsent]);

  return { locals, decide, retry: () => void send(), error, isUnsent };
}

/** The oldest that are all of one kind: `override` is said for a whole call. */
function takeBatch(waiting: Map<string, Taken>): Map<string, Taken> {
  const batch = new Map<string, Taken>();
  let kind: boolean | null = null;
  for (const [id, taken] of waiting) {
    kind ??= taken.isOverride;
    if (batch.size === MAX_AT_ONCE || taken.isOverride !== kind) break;
    batch.set(id, taken);
  }
  for (const id of batch.keys()) waiting.delete(id);
  return batch;
}

async function post(reviewId: string, batch: ReadonlyMap<string, Taken>): Promise<Outcomes> {
  const [first] = batch.values();
  const { results } = await call("decideAccessReviewItems", {
    params: { access_review_id: reviewId },
    body: {
      decisions: [...batch].map(([item_id, { decision, reason }]) => ({
        item_id,
        decision,
        reason,
      })),
      override: first?.isOverride === true,
    },
  });
  return results;
}

function toLocals(
  batch: ReadonlyMap<string, Taken>,
  results: Outcomes,
  waiting: ReadonlyMap<string, Taken>,
): [string, Local][] {
  const found: [string, Local][] = [];
  for (const { item_id, outcome, message } of results) {
    const taken = batch.get(item_id);
    // A later decision about it is on its way: that one is shown.
    if (!taken || waiting.has(item_id)) continue;
    const isDecided = outcome === "decided" || outcome === "unchanged";
    const state = isDecided ? "decided" : "refused";
    found.push([item_id, { ...taken, state, outcome, message }]);
  }
  return found;
}
