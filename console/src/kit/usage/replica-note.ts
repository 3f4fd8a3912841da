import { replicaLagSeconds } from "../../data-source.ts";
import { useObservable } from "../../observable.ts";

/** Returns a sentence about the age of the data, or null if reports are not from a replica. */
export function useReplicaNote(): string | null {
  const seconds = useObservable(replicaLagSeconds);
  return seconds === null ? null : `Data from a replica, ${Math.round(seconds)} s behind.`;
}
