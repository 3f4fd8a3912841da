import { useApi } from "../../queries.ts";
import { Consequences } from "../consequences/consequences.tsx";
import { useRecentRequests } from "../consequences/recent-requests.ts";
import type { Upstream } from "./queries.ts";
import { describeUpstreamChange, describeUpstreamDeletion } from "./upstream-effects.ts";

interface ChangeProps {
  /** The stored upstream. */
  upstream: Upstream;
  /** Entered address. */
  baseUrl: string;
  hasNewCredential: boolean;
}

/** Effects of the entered address and key. */
export function ChangeConsequences({ upstream, baseUrl, hasNewCredential }: ChangeProps) {
  const isHarmful = hasNewCredential || baseUrl !== upstream.base_url;
  const { counts, use } = useUpstreamUse(isHarmful);
  return (
    <Consequences
      sentences={describeUpstreamChange({
        before: upstream,
        base_url: baseUrl,
        hasNewCredential,
        ...use,
      })}
      counts={counts}
    />
  );
}

/** Effects of a deletion of the upstream. */
export function DeletionConsequences() {
  const { counts, use } = useUpstreamUse(true);
  return <Consequences sentences={describeUpstreamDeletion(use)} counts={counts} />;
}

function useUpstreamUse(isEnabled: boolean) {
  const organization = useApi("getOrganizationCounts", {}, { isEnabled });
  const recent = useRecentRequests({}, { isEnabled });
  return {
    // The sentence about workspaces is there without its count, so that only one line loads.
    counts: [recent],
    use: { workspaces: organization.data?.workspaces, requests: recent.requests },
  };
}
