import { useApi } from "../../queries.ts";
import { Consequences } from "../consequences/consequences.tsx";
import { useRecentRequests } from "../consequences/recent-requests.ts";
import { listDefaultIds, splitByOrder } from "./order.ts";
import type { Upstream } from "./queries.ts";
import { describeUpstreamChange, describeUpstreamDeletion } from "./upstream-effects.ts";
import {
  hasOtherKind,
  hasOtherPlace,
  listChangedParts,
  toUpstreamChange,
  type UpstreamValues,
} from "./upstream-values.ts";

interface ChangeProps {
  /** The stored upstream. */
  upstream: Upstream;
  /** Entered fields. */
  values: UpstreamValues;
  isOnly: boolean;
}

/** Effects of the entered fields. */
export function ChangeConsequences({ upstream, values, isOnly }: ChangeProps) {
  const { name: _, ...change } = toUpstreamChange(upstream, values);
  const { counts, use } = useUpstreamUse(Object.keys(change).length > 0, isOnly);
  return (
    <Consequences
      sentences={describeUpstreamChange({
        before: upstream,
        base_url: change.base_url ?? upstream.base_url,
        hasNewCredential: typeof change.credential === "string",
        hasNewHeaders: change.extra_headers !== undefined,
        hasOtherKind: hasOtherKind(upstream, change),
        hasOtherPlace: hasOtherPlace(upstream, change),
        changed: listChangedParts(change),
        ...use,
      })}
      counts={counts}
    />
  );
}

interface DeletionProps {
  upstream: Upstream;
  /** All stored upstreams. */
  upstreams: readonly Upstream[];
}

/** Effects of a deletion of an upstream. */
export function DeletionConsequences({ upstream, upstreams }: DeletionProps) {
  const { counts, use } = useUpstreamUse(true, upstreams.length === 1);
  const order = splitByOrder(upstreams, listDefaultIds(upstreams)).ordered;
  return (
    <Consequences
      sentences={describeUpstreamDeletion({ upstream, order, ...use })}
      counts={counts}
    />
  );
}

function useUpstreamUse(isEnabled: boolean, isOnly: boolean) {
  const organization = useApi("getOrganizationCounts", {}, { isEnabled: isEnabled && isOnly });
  const recent = useRecentRequests({}, { isEnabled });
  return {
    // The sentence about workspaces is there without its count, so that only one line loads.
    counts: [recent],
    use: { workspaces: organization.data?.workspaces, requests: recent.requests, isOnly },
  };
}
