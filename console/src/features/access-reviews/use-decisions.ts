import { useCallback, useEffect, useRef, useState } from "react";
import { type Answer, ApiError, call } from "../../api-client.ts";
import { queryClient } from "../../queries.ts";
import type { Decision } from "./words.ts";

// Decisions are shown at once and sent in the background, so that a reviewer with a keyboard does not wait for the network.
// They are sent in their order, in batches. A decision can be changed until the review ends, and a repeated one changes
// nothing, so a retry is safe.

export interface NewDecision {
  decision: Decision;
  reason: string | null;
  /** Replaces the decision of another reviewer. */
  isOverride: boolean;
}

export interface LocalDecision extends NewDecision {
  state: "sending" | "decided" | "refused";
  /** Outcome from the server. Null: not sent yet. */
  outcome: Outcomes[number]["outcome"] | null;
  /** Reason of a refusal, which leaves the entry unchanged. */
  message: string | null;
}

type Outcomes = Answer<"decideAccessReviewItems">["results"];

const MAX_AT_ONCE = 200;
const staleQueries = ["getAccessReview", "listAccessReviews", "listAssignedAccessReviews"];
/** Queries to read again on the next visit. The current screen has the new entries. */
const staleOnNextVisit = ["listAccessReviewItems", "listAssignedAccessReviewItems"];

export function useDecisions(reviewId: string) {
  const [locals, setLocals] = useState<ReadonlyMap<string, LocalDecision>>(new Map());
  const [error, setError] = useState<Error | null>(null);
  const unsent = useRef(new Map<string, NewDecision>());
  const isSending = useRef(false);

  const addLocals = useCallback((entries: readonly (readonly [string, LocalDecision])[]) => {
    setLocals((before) => new Map([...before, ...entries]));
  }, []);

  const send = useCallback(async () => {
    if (isSending.current) return;
    isSending.current = true;
    setError(null);
    try {
      while (unsent.current.size > 0) {
        const batch = removeBatch(unsent.current);
        const results = await sendBatch(reviewId, batch).catch((failure: unknown) => {
          // Put the batch back for a retry, before later decisions.
          unsent.current = new Map([...batch, ...unsent.current]);
          throw failure;
        });
        addLocals(toLocals(batch, results, unsent.current));
      }
    } catch (failure) {
      setError(failure as Error);
      // A retry of a refused call would be refused again.
      if (failure instanceof ApiError && failure.status < 500) {
        const refused = [...unsent.current];
        unsent.current.clear();
        const { message } = failure;
        const state = "refused" as const;
        addLocals(
          refused.map(([id, newDecision]) => [
            id,
            { ...newDecision, state, outcome: null, message },
          ]),
        );
      }
    } finally {
      isSending.current = false;
      for (const name of staleQueries) void queryClient.invalidateQueries({ queryKey: [name] });
      for (const name of staleOnNextVisit) {
        void queryClient.invalidateQueries({ queryKey: [name], refetchType: "none" });
      }
    }
  }, [reviewId, addLocals]);

  const decide = useCallback(
    (itemId: string, newDecision: NewDecision) => {
      unsent.current.delete(itemId);
      unsent.current.set(itemId, newDecision);
      addLocals([[itemId, { ...newDecision, state: "sending", outcome: null, message: null }]]);
      void send();
    },
    [addLocals, send],
  );

  const hasUnsent = [...locals.values()].some(({ state }) => state === "sending");
  useEffect(() => {
    if (!hasUnsent) return;
    const warn = (event: BeforeUnloadEvent) => event.preventDefault();
    addEventListener("beforeunload", warn);
    return () => removeEventListener("beforeunload", warn);
  }, [hasUnsent]);

  return { locals, decide, retry: () => void send(), error, hasUnsent };
}

/** Removes the oldest decisions with the same `override`, which applies to a whole call. */
function removeBatch(unsent: Map<string, NewDecision>): Map<string, NewDecision> {
  const batch = new Map<string, NewDecision>();
  let kind: boolean | null = null;
  for (const [id, newDecision] of unsent) {
    kind ??= newDecision.isOverride;
    if (batch.size === MAX_AT_ONCE || newDecision.isOverride !== kind) break;
    batch.set(id, newDecision);
  }
  for (const id of batch.keys()) unsent.delete(id);
  return batch;
}

async function sendBatch(
  reviewId: string,
  batch: ReadonlyMap<string, NewDecision>,
): Promise<Outcomes> {
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
  batch: ReadonlyMap<string, NewDecision>,
  results: Outcomes,
  unsent: ReadonlyMap<string, NewDecision>,
): [string, LocalDecision][] {
  const found: [string, LocalDecision][] = [];
  for (const { item_id, outcome, message } of results) {
    const newDecision = batch.get(item_id);
    // Show a later decision about the same item instead.
    if (!newDecision || unsent.has(item_id)) continue;
    const isDecided = outcome === "decided" || outcome === "unchanged";
    const state = isDecided ? "decided" : "refused";
    found.push([item_id, { ...newDecision, state, outcome, message }]);
  }
  return found;
}
