import type { IncomingMessage, ServerResponse } from "node:http";
import type { BeginRecord } from "#src/domain/request-record.ts";
import type { FoundKey } from "#src/key-lookup/api-key-lookup.sql.ts";
import type { RateTicket } from "#src/rates/buckets/rate-limiter.ts";
import type { ResponseIdentity } from "./forward-headers.ts";
import type { ParsedMessage } from "./parse-message.ts";

/** One request of a client and its answer, from the first header to the last byte. */
export interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
  requestId: string;
  /** On the monotonic clock. */
  startedMs: number;
  /** Set once the key is known. */
  identity: ResponseIdentity | null;
  /** Set once the key is known, also where it is refused. */
  key: FoundKey | null;
  /** Time of the newest check of the key, milliseconds since the epoch on the database's clock. Set with `key`. */
  keyCheckedAtMs: number;
  /** The client waits for a 100 before it sends its body. */
  isBodyHeldBack: boolean;
  /** Set once it was dispatched. */
  relay: RunningRelay | null;
  /** Aborts when the client leaves or the server stops. Set while the request waits for budget. */
  waiting: AbortController | null;
  /** Set from its begin on where no limit held anything for it, so that one which is made meanwhile can. */
  unheld: UnheldRequest | null;
  /** Of the rate limits that it was counted in; null where there are none. */
  rate: RateTicket | null;
  /** Of its body in memory: what counts against the gateway's bound. */
  heldBytes: number;
  /** The response was sent, or the client is gone. */
  isClosed: boolean;
  /** Nothing more will happen but the sending of what is buffered. */
  isDone: boolean;
}

interface UnheldRequest {
  begin: BeginRecord;
  message: ParsedMessage;
}

/** The part of `Relay` that an exchange calls. Stands here because relay-response.ts imports this file. */
interface RunningRelay {
  onClientGone(): void;
  abortForShutdown(): void;
}

/** Waits with a signal that aborts when the client leaves or the server stops. */
export async function waitAbortably<T>(
  exchange: Exchange,
  wait: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const waiting = new AbortController();
  exchange.waiting = waiting;
  try {
    return await wait(waiting.signal);
  } finally {
    exchange.waiting = null;
  }
}

/** True once the client can get no answer any more. */
export function isClientGone(exchange: Exchange): boolean {
  return exchange.isClosed || exchange.response.destroyed || exchange.request.socket.destroyed;
}

/** The exchanges of this process that are not over. */
export interface RunningExchanges {
  add(exchange: Exchange): void;
  /** Settled; it is over once the response is closed, too. */
  markDone(exchange: Exchange): void;
  count(): number;
  /** Those that were begun and are not settled, of which the answer says yes; each is given once. */
  claimUnheld(isCounted: (begin: BeginRecord) => boolean): UnheldRequest[];
  /** Resolves when all are over; those that still run after `timeoutMs` are cut. The first call's time counts. */
  drain(timeoutMs: number): Promise<void>;
}

/** How long a client has to take the answer that tells it of the stop. */
const LAST_WORDS_MS = 1_000;

export function makeRunningExchanges(): RunningExchanges {
  const running = new Set<Exchange>();
  const idle = Promise.withResolvers<void>();
  let drainTimer: NodeJS.Timeout | null = null;

  function forget(exchange: Exchange): void {
    if (!exchange.isClosed || !exchange.isDone) return;
    running.delete(exchange);
    if (drainTimer !== null && running.size === 0) finishDrain(drainTimer);
  }

  function cutAll(): void {
    running.forEach(cut);
    // What is left are last words to clients that do not read.
    if (running.size > 0) drainTimer = setTimeout(() => running.forEach(cutOff), LAST_WORDS_MS);
  }

  function finishDrain(timer: NodeJS.Timeout): void {
    clearTimeout(timer);
    idle.resolve();
  }

  return {
    add(exchange) {
      running.add(exchange);
      const { response } = exchange;
      response.on("close", () => {
        exchange.isClosed = true;
        if (!response.writableFinished) exchange.relay?.onClientGone();
        exchange.waiting?.abort();
        forget(exchange);
      });
      // A response whose client is gone may still be written to; "close" has told all there is to know.
      response.on("error", ignore);
    },
    markDone(exchange) {
      exchange.isDone = true;
      forget(exchange);
    },
    count: () => running.size,
    claimUnheld(isCounted) {
      const taken: UnheldRequest[] = [];
      for (const exchange of running) {
        const { unheld, isDone } = exchange;
        if (unheld === null || isDone || !isCounted(unheld.begin)) continue;
        exchange.unheld = null;
        taken.push(unheld);
      }
      return taken;
    },
    drain(timeoutMs) {
      if (drainTimer === null) {
        for (const exchange of running) closeAfterwards(exchange);
        drainTimer = setTimeout(cutAll, timeoutMs);
        if (running.size === 0) finishDrain(drainTimer);
      }
      return idle.promise;
    },
  };
}

/** At a shutdown the connection ends with this answer, whether or not its headers have left already. */
function closeAfterwards({ request, response }: Exchange): void {
  if (response.headersSent) response.once("finish", () => request.socket.destroySoon());
  else response.shouldKeepAlive = false;
}

function cut(exchange: Exchange): void {
  const { relay, waiting, response } = exchange;
  if (exchange.isDone) response.destroy();
  else if (relay !== null) relay.abortForShutdown();
  else if (waiting !== null) waiting.abort();
  else response.destroy();
}

function cutOff({ request }: Exchange): void {
  request.socket.destroy();
}

function ignore(): void {}
