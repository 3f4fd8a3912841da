import { Link } from "@tanstack/react-router";
import { Check } from "lucide-react";
import { Money } from "../../ui/amounts.tsx";
import type { LoggedRequest } from "../requests/queries.ts";
import { useFirstRequest, useNewestRefusal } from "./queries.ts";

/** Waits for the first request of a new key, and reports it. */
export function FirstRequest({ apiKeyId }: { apiKeyId: string }) {
  const request = useFirstRequest(apiKeyId);
  return (
    <div
      role="status"
      className="flex items-start gap-3 rounded-md border border-line bg-sunk px-4 py-3 text-sm"
    >
      {request === null ? (
        <>
          <span
            aria-hidden="true"
            className="mt-1.5 size-2 shrink-0 animate-pulse rounded-full bg-accent"
          />
          <span>
            <span className="font-medium">Waiting for your first request</span>
            <span className="block text-quiet">
              Run the command. The request appears here within two seconds.
            </span>
            <Refused apiKeyId={apiKeyId} />
          </span>
        </>
      ) : (
        <>
          <span className="mt-0.5 grid size-5 shrink-0 place-items-center rounded-full bg-accent text-on-accent">
            <Check size={13} strokeWidth={3} aria-hidden="true" />
          </span>
          <span>
            <span className="font-medium">Your first request arrived</span>
            <span className="block text-quiet">
              <Outcome request={request} />{" "}
              <Link to="/requests" search={{ key: [apiKeyId] }} className="link">
                Show request
              </Link>
            </span>
          </span>
        </>
      )}
    </div>
  );
}

/** A request that this server refused before it was sent. */
function Refused({ apiKeyId }: { apiKeyId: string }) {
  const refusal = useNewestRefusal(apiKeyId);
  if (refusal === null) return null;
  return (
    <span className="mt-1 block text-warn">
      A request was refused with <code>{refusal.error_code}</code>. The response has the reason.
    </span>
  );
}

function Outcome({ request }: { request: LoggedRequest }) {
  if (request.outcome !== "answered") {
    return <>The request failed with the status {request.http_status ?? "none"}.</>;
  }
  return (
    <>
      {request.model} answered for <Money usd={request.cost_usd} />.
    </>
  );
}
