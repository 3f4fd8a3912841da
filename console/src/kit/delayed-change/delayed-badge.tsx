import { useObservable } from "../../observable.ts";
import { Badge } from "../../ui/badge.tsx";
import { delayedChanges } from "./delay-change.ts";

/** "will be disabled", beside a thing whose change waits or is sent. */
export function DelayedBadge({ subject }: { subject: string }) {
  const change = useObservable(delayedChanges.all).find(
    (each) => each.state !== "failed" && each.subject.split(" ").includes(subject),
  );
  return change && <Badge tone="warn">will be {change.done}</Badge>;
}
