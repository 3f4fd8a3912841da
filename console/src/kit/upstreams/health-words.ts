import type { Tone } from "../../ui/badge.tsx";

// Health of an upstream over all nodes, as words.

export interface NodeHealth {
  state: "closed" | "half_open" | "open";
  answers: number;
  failures_in_row: number;
  last_answer_at: string | null;
  last_failure_at: string | null;
  last_failure: string | null;
}

export interface HealthSummary {
  label: string;
  tone: Tone;
  /** Null: none. */
  lastAnswerAt: string | null;
  lastFailureAt: string | null;
  lastFailure: string | null;
}

/** Summary of the reports of all nodes. */
export function summarizeHealth(nodes: readonly NodeHealth[]): HealthSummary {
  const failed = findLatest(nodes, ({ last_failure_at }) => last_failure_at);
  const answered = findLatest(nodes, ({ last_answer_at }) => last_answer_at);
  return {
    ...describeState(nodes),
    lastAnswerAt: answered?.last_answer_at ?? null,
    lastFailureAt: failed?.last_failure_at ?? null,
    lastFailure: failed?.last_failure ? describeFailure(failed.last_failure) : null,
  };
}

function describeState(nodes: readonly NodeHealth[]): Pick<HealthSummary, "label" | "tone"> {
  const isOut = ({ state }: NodeHealth) => state !== "closed";
  const out = nodes.filter(isOut).length;
  if (out > 0) {
    const isRetrying = nodes.filter(isOut).every(({ state }) => state === "half_open");
    const label = isRetrying ? "circuit half open" : "circuit open";
    const isEverywhere = out === nodes.length;
    return {
      label: isEverywhere ? label : `${label} on ${out} of ${nodes.length} nodes`,
      tone: isEverywhere && !isRetrying ? "bad" : "warn",
    };
  }
  if (nodes.some(({ failures_in_row }) => failures_in_row > 0)) {
    return { label: "failing", tone: "warn" };
  }
  if (nodes.some(({ answers }) => answers > 0)) return { label: "working", tone: "good" };
  return { label: "no request yet", tone: "plain" };
}

function findLatest(
  nodes: readonly NodeHealth[],
  timeOf: (node: NodeHealth) => string | null,
): NodeHealth | undefined {
  return nodes
    .filter((node) => timeOf(node) !== null)
    .toSorted((a, b) => Date.parse(timeOf(b) ?? "") - Date.parse(timeOf(a) ?? ""))[0];
}

const failureWords: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection reset",
  EHOSTUNREACH: "host unreachable",
  ENOTFOUND: "name not found",
  ETIMEDOUT: "timeout",
  UND_ERR_BODY_TIMEOUT: "no data in time",
  UND_ERR_CONNECT_TIMEOUT: "connect timeout",
  UND_ERR_HEADERS_TIMEOUT: "no answer in time",
  UND_ERR_SOCKET: "connection closed",
};

/** Words for a code of a failure, such as `http_502`. An unknown code stays. */
export function describeFailure(code: string): string {
  const status = /^http_(\d+)$/.exec(code)?.[1];
  return status === undefined ? (failureWords[code] ?? code) : `HTTP ${status}`;
}
