import type { HttpRequest } from "#src/lib/http-client.ts";
import type { Upstream, UpstreamOrder } from "#src/upstreams/upstream.ts";
import { type Exchange, isClientGone, isUserKnown } from "./exchange.ts";
import { type FailoverSender, sendWithFailover } from "./failover.ts";
import { toUpstreamHeaders } from "./forward-headers.ts";
import { removeTagsBeta } from "./group-tag.ts";
import { recordGiven } from "./record-given.ts";
import { Relay, type RelayDeps } from "./relay-response.ts";
import type { Metered } from "./settle.ts";

interface Sent {
  order: UpstreamOrder;
  body: Buffer | null;
  metered: Metered | null;
}

/** Dispatches the request to the client of the upstream. Never throws: the relay handles each failure. */
export function sendRequest(relayDeps: RelayDeps, exchange: Exchange, sent: Sent): boolean {
  const { order, metered } = sent;
  const [upstream] = order;
  const isOnly = order.length === 1;
  const relay = new Relay(relayDeps, exchange, metered, isOnly ? upstream.health : null);
  exchange.relay = relay;
  // The client may have left during the sync of the journal, before the relay existed.
  if (isClientGone(exchange)) relay.onClientGone();
  const handler = recordGiven(relay, exchange.key, metered, relayDeps.objects);
  if (!isOnly) {
    sendWithFailover(handler, {
      order,
      sender: toSender(exchange, metered),
      databaseNowMs: relayDeps.databaseNowMs,
      send(each, attempt) {
        const request = toRequest(relayDeps, exchange, each, sent);
        each.client.send({ ...request, ownsBody: false }, attempt);
      },
    });
    return true;
  }
  try {
    upstream.client.send(toRequest(relayDeps, exchange, upstream, sent), handler);
  } catch (error) {
    relay.onResponseError(null, error instanceof Error ? error : new Error(String(error)));
  }
  return true;
}

/** A function of its own, because closures of one function share what they refer to. */
function toSender(exchange: Exchange, metered: Metered | null): FailoverSender {
  return {
    isOver: () => exchange.isDone,
    isPinned: () => isClientGone(exchange),
    onServed(upstream, reason) {
      if (metered === null) return;
      metered.upstream = upstream;
      metered.failover = reason;
    },
  };
}

function toRequest(
  relayDeps: RelayDeps,
  exchange: Exchange,
  upstream: Upstream,
  { body, metered }: Sent,
): HttpRequest {
  const { call } = exchange;
  const fields = removeTagsBeta(exchange.laptop, call.fields);
  return {
    path: upstream.basePath + call.target,
    method: call.method === "GET" ? "GET" : "POST",
    headers: toUpstreamHeaders(fields, upstream.credential, isUserKnown(exchange)),
    body,
    ownsBody: call.isBodyOwned,
    headersTimeoutMs: metered?.begin.isStream === false ? relayDeps.answerTimeoutMs : null,
  };
}
