import { useObservable } from "../../observable.ts";
import { delayedChanges } from "./delay-change.ts";

/** Words for a thing whose change waits or is sent: "will be disabled". Null: none waits. */
export function useDelayedChange(id: string): string | null {
  const changes = useObservable(delayedChanges.all);
  const change = changes.find(
    ({ subject, state }) => state !== "failed" && subject.split(" ").includes(id),
  );
  return change === undefined ? null : `will be ${change.done}`;
}
