import type { ErrorCode } from "@bursar/contract/errors.ts";
import type { ApiError } from "#src/domain/api-error.ts";
import type { FoundKey } from "#src/key-lookup/api-key-lookup.sql.ts";
import type { HeaderFields } from "#src/lib/header-fields.ts";
import { readClaimedLabels } from "./claimed-labels.rule.ts";
import type { RefusalForm } from "./refuse.ts";

// Reasons of the last cut streams, by key, agent and model. After the error event of a cut, Claude Code sends the same request again
// as JSON, and prints the refusal of that one alone. A limit holds JSON whole, so it mostly refuses the request. The refusal then
// has the reason of the cut. A repeated request at another node has its own reason.

/** Claude Code repeats a request at once. Its wait for budget is shorter too. */
const KEPT_MS = 60_000;
/** One has less than a kilobyte. */
const MAX_CUTS = 1_000;

/** Refusals that end the repeated request. */
const FINAL_CODES: ReadonlySet<ErrorCode> = new Set([
  "spend_limit_reached",
  "request_too_large_for_limit",
]);

/** The part of an exchange that names its client and its model. */
export interface Refused {
  isStream: boolean | null;
  requestedModel: string | null;
  key: Pick<FoundKey, "id"> | null;
  call: { fields: HeaderFields };
}

interface RecentCut {
  atMs: number;
  message: string;
}

export class RecentCuts {
  readonly #byAgent = new Map<string, RecentCut>();

  /**
   * Remembers the reason of a cut. Returns the form of a refusal, with that reason if the request repeats a cut one. `nowMs` is
   * of the monotonic clock.
   */
  explain(
    exchange: Refused,
    error: Pick<ApiError, "code">,
    form: RefusalForm,
    nowMs: number,
  ): RefusalForm {
    const isCut = error.code.startsWith("stream_cut_");
    const isRepeated = exchange.isStream === false && FINAL_CODES.has(error.code);
    if (!isCut && !isRepeated) return form;
    const agent = nameAgent(exchange);
    if (agent === null) return form;
    const cut = this.#byAgent.get(agent);
    // A later cut is the newest entry of the map.
    this.#byAgent.delete(agent);
    if (isCut) {
      this.#add(agent, { atMs: nowMs, message: form.message });
      return form;
    }
    if (cut === undefined || nowMs - cut.atMs > KEPT_MS) return form;
    const { status, type, headers } = form;
    return { status, type, headers, message: cut.message };
  }

  #add(agent: string, cut: RecentCut): void {
    this.#byAgent.set(agent, cut);
    if (this.#byAgent.size <= MAX_CUTS) return;
    for (const oldest of this.#byAgent.keys()) {
      this.#byAgent.delete(oldest);
      return;
    }
  }
}

/**
 * Key with the agent session and the agent that the client claims, and the model. A session also sends JSON to smaller
 * models, which repeats no cut. Null: the client claims no session.
 */
function nameAgent({ key, call, requestedModel }: Refused): string | null {
  const claimed = readClaimedLabels(call.fields);
  if (key === null || claimed === undefined) return null;
  return `${key.id} ${claimed.agentSessionId} ${claimed.agentId ?? ""} ${requestedModel ?? ""}`;
}
