import { Link } from "@tanstack/react-router";
import { Check } from "lucide-react";
import type { ReactNode } from "react";
import { useUpstreams } from "../../kit/upstreams/queries.ts";
import { useApi } from "../../queries.ts";
import { useMay } from "../../session.ts";
import { SkeletonRows } from "../../ui/states.tsx";
import { useOrganizationCounts } from "./queries.ts";

const EVERY_MS = 1_000;

export function useCanTakeFirstSteps(): boolean {
  const may = useMay();
  return may("api_keys:write") && may("usage:read");
}

/** Steps to the first request, for members who can take them. The overview replaces them after it. */
export function FirstSteps() {
  const may = useMay();
  useOrganizationCounts({ everyMs: EVERY_MS });
  const keys = useApi("listApiKeys", { query: { status: "active", limit: 1 } });
  const upstreams = useUpstreams(may("upstreams:read"));
  if (!keys.data || upstreams.isLoading) return <SkeletonRows rows={3} />;
  return (
    <section className="grid gap-4">
      <h2>Before the first request</h2>
      <ol className="divide-y divide-line border-y border-line">
        {upstreams.data && (
          <Step isDone={upstreams.data.items.length > 0} title="Store an upstream">
            The built-in simulator answers until an upstream is stored. Simulated requests are free.{" "}
            <Link to="/upstreams" className="link">
              Store upstream
            </Link>
          </Step>
        )}
        <Step isDone={keys.data.data.length > 0} title="Create a key">
          Programs call Claude with a workspace key.{" "}
          <Link to="/api-keys" className="link">
            Create a key
          </Link>
        </Step>
        <Step isDone={false} title="Send a request">
          Connect has the code for each client, and reports your first request.{" "}
          <Link to="/connect" className="link">
            Connect a client
          </Link>
        </Step>
      </ol>
    </section>
  );
}

function Step(props: { isDone: boolean; title: string; children: ReactNode }) {
  const { isDone, title, children } = props;
  return (
    <li className="grid grid-cols-[1.5rem_minmax(0,1fr)] gap-3 py-4">
      <span
        className={
          isDone
            ? "mt-0.5 grid size-5 place-items-center rounded-full bg-accent text-on-accent"
            : "mt-0.5 size-5 rounded-full border-2 border-edge"
        }
      >
        {isDone && <Check size={13} strokeWidth={3} aria-label="Done" />}
      </span>
      <div>
        <h3>{title}</h3>
        {!isDone && <div className="mt-1 text-sm text-quiet">{children}</div>}
      </div>
    </li>
  );
}
