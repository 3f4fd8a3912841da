import type { Tone } from "../../ui/badge.tsx";
import { formatCount, nanoToUsdText, toNanoUsd } from "../../ui/format.ts";
import { statusWords } from "../usage/words.ts";
import type { LoggedRequest } from "./queries.ts";

/** Name of the API key, or the member for a playground request, whose key is hidden. */
export function formatCaller(request: LoggedRequest): string {
  const { is_playground, api_key_name, api_key_id, member_name, member_email } = request;
  if (!is_playground) return api_key_name ?? api_key_id;
  return `Playground of ${member_name ?? member_email ?? "a removed member"}`;
}

/** `412 ms`, `3.28 s`, `2 min 05 s` */
export function formatDuration(ms: number): string {
  if (ms < 1_000) return `${formatCount(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(ms < 10_000 ? 2 : 1)} s`;
  const seconds = Math.round(ms / 1_000);
  return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, "0")} s`;
}

const statusTones: Record<string, Tone> = {
  answered: "good",
  aborted: "plain",
  rate_limited: "warn",
  client_error: "warn",
  server_error: "bad",
  unreached: "bad",
  interrupted: "bad",
};

/** Short words for a table. */
const shortStatus: Record<string, string> = {
  answered: "Answered",
  aborted: "Aborted",
  rate_limited: "Rate limited",
  client_error: "Client error",
  server_error: "Server error",
  unreached: "Unreached",
  interrupted: "Interrupted",
};

/** Outcome of a request, in a sentence. */
const statusSentences: Record<string, string> = {
  answered: "The upstream answered, and the client received the full answer.",
  aborted: "The client disconnected before the end. Usage until then is charged.",
  rate_limited: "The upstream refused the request because of its rate limits. No cost.",
  client_error: "The upstream refused the request. No cost.",
  server_error: "The upstream failed. Only reported usage is charged.",
  unreached: "The upstream could not be reached. No cost.",
  interrupted: "The request was sent, but no complete answer arrived.",
};

/** Words for the status of a request. `short`: for a table. */
export function describeStatus({ status, cut }: Pick<LoggedRequest, "status" | "cut">): {
  tone: Tone;
  label: string;
  short: string;
  sentence: string;
} {
  if (cut !== null) {
    return {
      tone: "bad",
      label: "Cut by a spend limit",
      short: "Cut by a limit",
      sentence: "A spend limit ended the stream. The client received an error event that says why.",
    };
  }
  return {
    tone: statusTones[status] ?? "plain",
    label: statusWords[status] ?? status,
    short: shortStatus[status] ?? status,
    sentence: statusSentences[status] ?? "",
  };
}

/** Recorded cost with its adjustments, as decimal text. */
export function addAdjustment({ cost_usd, adjustment_usd }: LoggedRequest): string {
  if (adjustment_usd === null) return cost_usd;
  const nano = toNanoUsd(cost_usd) + toNanoUsd(adjustment_usd);
  return nanoToUsdText(nano).replace(/0{1,7}$/, "");
}

/** Cost of a request that is estimated or unknown, in a sentence. Null: exact. */
export function describeUncertainCost(request: LoggedRequest): string | null {
  const { doubt, is_estimated, status, cost_usd, cut } = request;
  if (cut !== null) {
    return "The cost is the most that the upstream can have billed until the cut.";
  }
  switch (doubt) {
    case "impossible_usage":
      return "The upstream reported usage that cannot be true. The request is charged its hold, or the maximum of one call without a strict limit.";
    case "missing_usage":
      return "The answer had no usage. The input is charged by its size, and the rest of the hold is unresolved spend.";
    case "incomplete_usage":
      return "The answer broke off. The cost is an estimate from the part that was received.";
    case null:
      break;
  }
  if (is_estimated) {
    return "The response was interrupted. The usage is an estimate from the part that was received.";
  }
  const isUnknown = status === "interrupted" && Number(cost_usd) === 0;
  return isUnknown ? "The cost is unknown: see Unresolved spend on the Limits page." : null;
}
