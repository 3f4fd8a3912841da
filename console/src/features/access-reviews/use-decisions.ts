import { useCallback, useEffect, useRef, useState } from "react";
import { type Answer, ApiError, call } from "../../api-client.ts";
import { queryClient } from "../../queries.ts";
import type { Decision } from "./words.ts";

// Decisions are shown at once and sent in the background, so that a reviewer with a keyboard does not wait for the network.
// They are sent in their order, in batches. A decision can be changed until the review ends, and a repeated one changes
// nothing, so a retry is safe.

export interface Taken {
  decision: Decision;
  reason: string | null;
  /** Replaces the decision of another reviewer. */
  isOverride: boolean;
}

export interface Local extends Taken {
  state: "sending" | "decided" | "refused";
  /** Outcome from the server. Null: not sent yet. */
  outcome: Outcomes[number]["outcome"] | null;
  /** Reason of a refusal, which leaves the entry unchanged. */
  message: string | null;
}

type Outcomes = Answer<"decideAccessReviewItems">["results"];

const MAX_AT_ONCE = 200;
const stale = ["getAccessReview", "listAccessReviews", "listAssignedAccessReviews"];
/** Queries to read again on the next visit. The current screen has the new entries. */
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
          // Put the batch back for a retry, before later decisions.
          waiting.current = new Map([...batch, ...waiting.current]);
          throw failure;
        });
        note(toLocals(batch, results, waiting.current));
      }
    } catch (failure) {
      setError(failure as Error);
      // A retry of a refused call would be refused again.
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

/** Removes the oldest decisions with the same `override`, which applies to a whole call. */
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
    // Show a later decision about the same item instead.
    if (!taken || waiting.has(item_id)) continue;
    const isDecided = outcome === "decided" || outcome === "unchanged";
    const state = isDecided ? "decided" : "refused";
    found.push([item_id, { ...taken, state, outcome, message }]);
  }
  return found;
}
