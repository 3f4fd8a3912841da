import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useApi } from "../../queries.ts";
import { Tokens } from "../../ui/amounts.tsx";
import { Badge } from "../../ui/badge.tsx";
import type { Turn } from "./use-conversation.ts";

/** The conversation, including the running response. */
export function Turns({ turns }: { turns: readonly Turn[] }) {
  if (turns.length === 0) return null;
  const isBusy = turns.some(({ end }) => end === "running");
  return (
    <ol
      role="log"
      aria-label="Conversation"
      aria-busy={isBusy}
      className="divide-y divide-line border-y border-line"
    >
      {turns.map((turn) => (
        <li key={turn.id} className="grid gap-1.5 py-4">
          <p className="text-sm font-medium text-quiet">
            {turn.role === "user" ? "You" : "Claude"}
          </p>
          <div className="break-words whitespace-pre-wrap">
            {turn.content === "" && turn.end === "running" ? (
              <span className="text-faint">Waiting for the response…</span>
            ) : (
              turn.content
            )}
          </div>
          {turn.role === "assistant" && <ResponseNote turn={turn} />}
        </li>
      ))}
    </ol>
  );
}

const endWords: Partial<Record<Turn["end"], string>> = {
  cut: "The response reached the maximum tokens",
  stopped: "You stopped the response",
  broken: "The response was interrupted",
};

function ResponseNote({ turn }: { turn: Turn }) {
  const words = endWords[turn.end];
  return (
    <div className="flex flex-wrap items-center gap-x-4 gap-y-1 text-sm text-quiet">
      {words && <Badge tone="warn">{words}</Badge>}
      {turn.requestId && turn.end !== "running" && <Recorded requestId={turn.requestId} />}
    </div>
  );
}

const POLL_MS = 600;

/** Tokens and cost of the request, from its billed record. The record exists within two seconds of its end. */
function Recorded({ requestId }: { requestId: string }) {
  const [isRecorded, setIsRecorded] = useState(false);
  const found = useApi(
    "listRequests",
    { query: { request_id: requestId, limit: 1 } },
    { everyMs: isRecorded ? null : POLL_MS },
  );
  const [record] = found.data?.data ?? [];
  if (record && !isRecorded) setIsRecorded(true);
  if (!record) return <span>Counting…</span>;
  return (
    <>
      <span>
        <Tokens count={record.input_tokens + record.cache_read_tokens} /> in,{" "}
        <Tokens count={record.output_tokens} /> out
      </span>
      <span className="figures" title="From the request record">
        ${record.cost_usd}
        {record.is_estimated && " (estimated)"}
        {record.is_unpriced && " (no price)"}
      </span>
      <Link to="/requests" search={{ request: requestId }} className="link">
        <code className="text-xs">{requestId}</code>
      </Link>
    </>
  );
}
