import { reportHeaders } from "@bursar/contract/report-headers.ts";
import { makeObservable } from "./observable.ts";

/** Lag of the replica that the newest report was read from, seconds. Null: the primary. */
export const replicaLagSeconds = makeObservable<number | null>(null);

/** Reads the headers of a response. Responses that are no reports have none. */
export function reportDataSource(headers: Headers): void {
  if (!headers.has(reportHeaders.dataAsOf)) return;
  const lag = headers.get(reportHeaders.replicaLagSeconds);
  replicaLagSeconds.set(lag === null ? null : Number(lag));
}
