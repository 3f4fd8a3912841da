import { useState } from "react";
import { Consequences } from "../consequences/consequences.tsx";
import { useRecentRequests } from "../consequences/recent-requests.ts";
import { useActiveLaptops } from "../laptops/queries.ts";
import type { ApiKey } from "./queries.ts";
import { describeStoppedKeys } from "./stop-effects.ts";

/** Maximum number of keys of one report. Requests of more keys are not counted. */
const MAX_COUNTED = 100;

/** Use of the keys that a change stops: their last use, requests of the last hour, and laptops. */
export function StopConsequences({ apiKeys }: { apiKeys: readonly ApiKey[] }) {
  const [nowMs] = useState(() => Date.now());
  const recent = useRecentRequests(
    { api_key_id: apiKeys.map(({ id }) => id) },
    { isEnabled: apiKeys.length <= MAX_COUNTED },
  );
  const laptops = useLaptopsOf(apiKeys.length === 1 ? apiKeys[0] : undefined);
  return (
    <Consequences
      sentences={describeStoppedKeys({
        apiKeys,
        requests: recent.requests,
        laptops: laptops.data?.items.length,
        nowMs,
      })}
      counts={[recent, laptops]}
    />
  );
}

/** Laptops whose requests a Claude Code key carries. Other keys carry none. */
function useLaptopsOf(key: ApiKey | undefined) {
  const memberId =
    key?.purpose === "claude_code" && key.owner.type === "member" ? key.owner.id : undefined;
  return useActiveLaptops(
    {
      ...(memberId !== undefined && { member_id: memberId }),
      ...(key && { workspace_id: key.workspace_id }),
    },
    { isEnabled: memberId !== undefined },
  );
}
