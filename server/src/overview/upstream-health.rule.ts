// Health of an upstream, judged by the requests of a short window.

/** Window that ends now, minutes. */
export const HEALTH_MINUTES = 15;
/** A single failed request of a small company is no failing upstream. */
const MIN_REQUESTS = 5;
const FAILING_PERCENT = 20;

export interface WindowCounts {
  requests: number;
  failedRequests: number;
}

export function judgeHealth({
  requests,
  failedRequests,
}: WindowCounts): "working" | "failing" | "idle" {
  if (requests === 0) return "idle";
  const isFailing = requests >= MIN_REQUESTS && failedRequests * 100 >= requests * FAILING_PERCENT;
  return isFailing ? "failing" : "working";
}
