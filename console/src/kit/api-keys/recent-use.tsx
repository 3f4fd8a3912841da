import { useState } from "react";
import { useApi } from "../../queries.ts";
import { useMay } from "../../session.ts";
import { formatCount, formatPlural, formatRelative } from "../../ui/format.ts";
import type { ApiKey } from "./queries.ts";

const HOUR_MS = 3_600_000;
/** Keys of one report. Requests of more keys are not counted. */
const MAX_COUNTED = 100;

interface Filter {
  api_key_id?: string[];
  workspace_id?: string[];
  member_id?: string[];
}

/** Requests of the last hour, which a change that stops their keys would refuse. */
export function RecentRequestCount({ filter }: { filter: Filter }) {
  const may = useMay();
  const [startingAt] = useState(() => new Date(Date.now() - HOUR_MS).toISOString());
  const usage = useApi(
    "getUsage",
    { query: { ...filter, starting_at: startingAt, bucket: "1m", limit: 1 } },
    { isEnabled: may("usage:read") },
  );
  const requests = usage.data?.totals.requests;
  if (requests === undefined) return null;
  if (requests === 0) return <p>No request in the last hour.</p>;
  return (
    <p role="status" className="rounded-md bg-warn-wash px-3 py-2 text-sm text-warn">
      {formatPlural(requests, "request")} in the last hour. Further ones are refused.
    </p>
  );
}

/** Use of one key: its last use, the addresses of its secrets, and the requests of the last hour. */
export function UseOfKey({ apiKey }: { apiKey: ApiKey }) {
  return (
    <>
      <p>{describeLastUse(apiKey, Date.now())}</p>
      {apiKey.last_used && <RecentRequestCount filter={{ api_key_id: [apiKey.id] }} />}
      {apiKey.purpose === "claude_code" && apiKey.owner.type === "member" && (
        <LaptopsOfKey memberId={apiKey.owner.id} workspaceId={apiKey.workspace_id} />
      )}
    </>
  );
}

export function describeLastUse(key: ApiKey, nowMs: number): string {
  if (!key.last_used) return "This key has never been used.";
  const used = key.secrets.flatMap(({ last_used }) => last_used?.address ?? []);
  const addresses = new Set([...used, ...(key.last_used.address ? [key.last_used.address] : [])]);
  const from = addresses.size > 0 ? ` from ${[...addresses].join(" and ")}` : "";
  return `This key was last used ${formatRelative(key.last_used.at, nowMs)}${from}.`;
}

/** Laptops whose requests the Claude Code key of a member carries. */
function LaptopsOfKey({ memberId, workspaceId }: { memberId: string; workspaceId: string }) {
  const may = useMay();
  const query = { member_id: memberId, workspace_id: workspaceId, status: "active", limit: 100 };
  const laptops = useApi(
    "listLaptops",
    { query: query as { member_id: string; status: "active" } },
    { isEnabled: may("members:write") },
  );
  const count = laptops.data?.data.length ?? 0;
  if (count === 0) return null;
  return (
    <p>
      {formatPlural(count, "laptop")} of Claude Code {count === 1 ? "stops" : "stop"} working.
    </p>
  );
}

/** Use of several keys: how many were used in the last day, and their requests of the last hour. */
export function UseOfKeys({ apiKeys }: { apiKeys: readonly ApiKey[] }) {
  const [sinceMs] = useState(() => Date.now() - 24 * HOUR_MS);
  const used = apiKeys.filter(({ last_used }) => last_used && Date.parse(last_used.at) >= sinceMs);
  const ids = apiKeys.map(({ id }) => id);
  return (
    <>
      <p>
        {used.length === 0
          ? "None of them was used in the last 24 hours."
          : `${formatCount(used.length)} of ${formatPlural(apiKeys.length, "key")} ${used.length === 1 ? "was" : "were"} used in the last 24 hours.`}
      </p>
      {ids.length <= MAX_COUNTED && <RecentRequestCount filter={{ api_key_id: ids }} />}
    </>
  );
}
