import type { BeginRecord } from "#src/domain/request-record.ts";
import type { ClientCall } from "#src/http1/client-call.ts";
import type { LaptopClaims } from "#src/key-lookup/access-tokens.ts";
import type { FoundKey } from "#src/key-lookup/api-key-lookup.sql.ts";
import type { RateTicket } from "#src/rates/buckets/rate-limiter.ts";
import type { UpstreamOrder } from "#src/upstreams/upstream.ts";
import type { ResponseIdentity } from "./forward-headers.ts";
import type { ParsedMessage } from "./parse-message.ts";
import type { KeyUser } from "./shares.ts";

/** One request of a client and its response, from the first header to the last byte. */
export interface Exchange {
  call: ClientCall;
  requestId: string;
  /** Start on the monotonic clock, milliseconds. */
  startedMs: number;
  /** Set when the key is found. */
  identity: ResponseIdentity | null;
  /** Set when the key is found, also if it is refused. */
  key: FoundKey | null;
  /** Claims of the access token. Null: the request has a key with a secret of its own. Set with `key`. */
  laptop: LaptopClaims | null;
  /** Time of the last check of the key, milliseconds since the epoch on the database's clock. Set with `key`. */
  keyCheckedAtMs: number;
  /** Model as the client wrote it. Null: the body is not read. */
  requestedModel: string | null;
  /** Whether the client asks for a stream. Null: the body is not read. */
  isStream: boolean | null;
  /** Set at the dispatch. */
  relay: RunningRelay | null;
  /** Aborts when the client leaves or the server stops. Set while the request waits for budget. */
  waiting: AbortController | null;
  /** Set while the request runs without a hold, so that a limit that is created later can hold it. */
  unheld: UnheldRequest | null;
  /** Ticket of the rate limits that count the request. Null: none. */
  rate: RateTicket | null;
  /** Key whose share has the request. Null: the request has no accepted key yet. */
  user: KeyUser | null;
  /** Bytes of its body that count in the share of its key. */
  heldBytes: number;
  /** The response was sent, or the client is gone. */
  isClosed: boolean;
  /** The request is settled. Only buffered bytes are still sent. */
  isDone: boolean;
  /** A refused request without an accepted key, whose client still sends or reads. */
  isLingering: boolean;
  /** Place in the list of running exchanges. */
  place: number;
}

interface UnheldRequest {
  begin: BeginRecord;
  message: ParsedMessage;
  /** Upstreams that can get the request. */
  order: UpstreamOrder;
}

/** The part of `Relay` that an exchange calls. Declared here because relay-response.ts imports this file. */
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

/**
 * True if this server knows the user of the request. Headers of the client then name no user to the upstream, which could be a
 * server that believes them.
 */
export function isUserKnown({ key, laptop }: Pick<Exchange, "key" | "laptop">): boolean {
  return laptop !== null || (key !== null && key.userDirectoryId !== null);
}

/** True if the client can no longer get a response. */
export function isClientGone(exchange: Exchange): boolean {
  return exchange.isClosed || exchange.call.isGone;
}

/** The running exchanges of this process. */
export interface RunningExchanges {
  add(exchange: Exchange): void;
  /** Marks an exchange as settled. The exchange ends when its response is closed too. */
  markDone(exchange: Exchange): void;
  count(): number;
  /** Number of exchanges without the lingering ones. They need no budget, and anyone can cause them. */
  countOccupying(): number;
  /** Returns unsettled requests without a hold for which `isCounted` is true. Each request is returned once. */
  claimUnheld(isCounted: (begin: BeginRecord) => boolean): UnheldRequest[];
  /** Resolves when all exchanges have ended. Ends the others after `timeoutMs`, counted from the first call. */
  drain(timeoutMs: number): Promise<void>;
}

/** Time for a client to read the response about the stop, milliseconds. */
const LAST_WORDS_MS = 1_000;

/**
 * `onEnded` is called once for each exchange. The list is an array, and the last exchange takes the place of an ended one. A `Set` allocates its next table beside the
 * old one, in the old generation after some minutes. The dead table then keeps its exchanges until a full collection.
 */
export function makeRunningExchanges(onEnded: (exchange: Exchange) => void): RunningExchanges {
  const running: Exchange[] = [];
  let lingering = 0;
  const idle = Promise.withResolvers<void>();
  let drainTimer: NodeJS.Timeout | null = null;

  function removeEnded(exchange: Exchange): void {
    if (!exchange.isClosed || !exchange.isDone || running[exchange.place] !== exchange) return;
    const last = running.pop();
    if (last !== undefined && last !== exchange) {
      last.place = exchange.place;
      running[last.place] = last;
    }
    if (exchange.isLingering) lingering -= 1;
    onEnded(exchange);
    if (drainTimer !== null && running.length === 0) finishDrain(drainTimer);
  }

  function endAll(): void {
    [...running].forEach(endExchange);
    // The rest are responses to clients that do not read.
    if (running.length > 0)
      drainTimer = setTimeout(() => [...running].forEach(destroyConnection), LAST_WORDS_MS);
  }

  function finishDrain(timer: NodeJS.Timeout): void {
    clearTimeout(timer);
    idle.resolve();
  }

  return {
    add(exchange) {
      exchange.place = running.length;
      running.push(exchange);
      // V8 allocates a function in the old generation if it is assigned to a property as a literal. Until the next full
      // collection, the function then keeps the exchange and all that belongs to it.
      const onClose = (isWhole: boolean): void => {
        exchange.isClosed = true;
        if (!isWhole) exchange.relay?.onClientGone();
        exchange.waiting?.abort();
        removeEnded(exchange);
      };
      exchange.call.onClose = onClose;
    },
    markDone(exchange) {
      exchange.isDone = true;
      if (exchange.user === null && !exchange.isClosed) {
        exchange.isLingering = true;
        lingering += 1;
      }
      removeEnded(exchange);
    },
    count: () => running.length,
    countOccupying: () => running.length - lingering,
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
        for (const { call } of [...running]) call.closeAfterwards();
        drainTimer = setTimeout(endAll, timeoutMs);
        if (running.length === 0) finishDrain(drainTimer);
      }
      return idle.promise;
    },
  };
}

function endExchange(exchange: Exchange): void {
  const { relay, waiting, call } = exchange;
  if (exchange.isDone) call.destroy();
  else if (relay !== null) relay.abortForShutdown();
  else if (waiting !== null) waiting.abort();
  else call.destroy();
}

function destroyConnection({ call }: Exchange): void {
  call.destroyConnection();
}
