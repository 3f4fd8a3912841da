import type { FailoverReason } from "@bursar/contract/usage-shape.ts";
import { useUpstreams } from "../../kit/upstreams/queries.ts";
import { isSimulated } from "../../kit/usage/simulated.tsx";
import { useMay } from "../../session.ts";
import type { RequestDetail } from "./queries.ts";

const failoverWords: Record<FailoverReason, string> = {
  unreached: "The first upstream was not reached.",
  rate_limited: "The first upstream answered 429.",
  overloaded: "The first upstream answered 529.",
  circuit_open: "The circuit of the first upstream was open.",
  unsupported: "The provider of the first upstream lacks a part of the request.",
};

/** Upstream of a request, and why it was not the first one. */
export function ServedUpstream({ request }: { request: RequestDetail }) {
  const { upstream_id: id, failover } = request;
  const upstreams = useUpstreams(useMay()("upstreams:read") && id !== null);
  const name = upstreams.data?.items.find((upstream) => upstream.id === id)?.name;
  return (
    <>
      {id === null
        ? isSimulated(request)
          ? "Simulator"
          : "The server’s environment"
        : (name ?? <code>{id}</code>)}
      {failover && <span className="block text-quiet">{failoverWords[failover]}</span>}
    </>
  );
}
