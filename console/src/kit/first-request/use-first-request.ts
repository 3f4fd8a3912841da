import { useState } from "react";
import { useApi } from "../../queries.ts";
import { useNow } from "../../ui/use-now.ts";
import {
  choosePollMs,
  type FirstRequestState,
  findFirstRequestState,
  type Newest,
} from "./first-request.ts";

/** Requests to wait for. */
export interface Awaited {
  /** Keys of the requests. */
  apiKeyIds: readonly string[];
  /** Also requests of Claude Code by this member, whose key may not exist yet. */
  memberId?: string;
  /** True: a new key, which had no request before. */
  isUnused?: boolean;
}

const none: Newest = { request: null, refusal: null };

export interface FirstRequestWait {
  /** Null while the first answer loads. */
  state: FirstRequestState | null;
  /** An answered request arrived. Nothing is queried any more. */
  isAnswered: boolean;
  /** Nothing arrived, and nothing is queried until `restart`. */
  hasEnded: boolean;
  restart: () => void;
}

/** Refusals are rarer than requests, so that their query is slower. */
const REFUSALS_FACTOR = 2;

/**
 * Waits for a request. Queries get slower, end after an hour or an answered request, and pause while the tab is hidden.
 * Members without other rights see requests of their own keys only.
 */
export function useFirstRequest(awaited: Awaited): FirstRequestWait {
  const { apiKeyIds, memberId, isUnused = false } = awaited;
  const nowMs = useNow();
  const [startedMs, setStartedMs] = useState(() => Date.now());
  const [before, setBefore] = useState<Newest | null>(isUnused ? none : null);
  const [isAnswered, setIsAnswered] = useState(false);
  const pollMs = choosePollMs(nowMs - startedMs);
  const everyMs = isAnswered ? null : pollMs;
  const keys = { api_key_id: [...apiKeyIds], limit: 1 };
  const requests = useApi(
    "listRequests",
    {
      query:
        memberId === undefined
          ? keys
          : { member_id: [memberId], client: ["claude-code", "claude-agent-sdk"], limit: 1 },
    },
    { everyMs, isEnabled: memberId !== undefined || apiKeyIds.length > 0 },
  );
  const refusals = useApi(
    "listRecentRefusals",
    { query: keys },
    { everyMs: everyMs && REFUSALS_FACTOR * everyMs, isEnabled: apiKeyIds.length > 0 },
  );
  const isLoaded = requests.data !== undefined && (refusals.data || apiKeyIds.length === 0);
  const newest: Newest = {
    request: requests.data?.data[0] ?? null,
    refusal: refusals.data?.data[0] ?? null,
  };
  if (isLoaded && before === null) setBefore(newest);
  const state = before === null ? null : findFirstRequestState(newest, before);
  const isDone = state?.isNew === true && state.arrival?.kind === "answered";
  if (isDone && !isAnswered) setIsAnswered(true);
  return {
    state,
    isAnswered,
    hasEnded: pollMs === null && !isAnswered,
    restart: () => setStartedMs(Date.now()),
  };
}
