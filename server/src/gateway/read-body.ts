import { ApiError } from "#src/domain/api-error.ts";
import type { ClientCall } from "#src/http1/client-call.ts";
import { assert } from "#src/lib/assert.ts";
import { joinOwned } from "#src/lib/release-memory.ts";
import type { Exchange } from "./exchange.ts";
import type { Shares } from "./shares.ts";

/** The official limit of `/v1/messages` and `count_tokens`. */
export const MAX_BODY_BYTES = 32 * 1024 * 1024;

/** Delay of a timer by which a pause of this process is noticed, milliseconds. */
const LATE_MS = 2_000;

export interface BodyLimits {
  /** Period in which `leastBytes` must arrive, milliseconds. */
  periodMs: number;
  /** Fewest bytes of a period. A body below this rate holds memory and a connection for too long. */
  leastBytes: number;
  /** Longest time for a whole body, milliseconds. */
  totalMs: number;
}

/** Request whose body is read. `heldBytes` grows with each byte that arrives. */
type Receiving = Pick<Exchange, "call" | "heldBytes" | "user">;

/** Memory for bodies, in the share of a key. */
export interface BodyMemory {
  hasRoom(exchange: Receiving, bytes: number): boolean;
  /** Takes memory until the call ends. Throws the refusals of `Shares`. */
  take(exchange: Receiving, bytes: number): void;
}

/**
 * Checks the headers before the body is read. Throws `request_body_encoding_unsupported` for a compressed body, because its
 * price cannot be read, and `request_too_large` for a declared length over the limit.
 */
export function checkBodyHeaders({ fields }: Pick<ClientCall, "fields">): void {
  const encoding = fields.find("content-encoding");
  if (encoding !== undefined && encoding.trim().toLowerCase() !== "identity") {
    throw new ApiError(
      "request_body_encoding_unsupported",
      `content-encoding "${encoding}" is not supported for request bodies: send the JSON uncompressed.`,
    );
  }
  const declared = fields.find("content-length");
  if (declared !== undefined && Number(declared) > MAX_BODY_BYTES) throw makeTooLargeError();
}

/**
 * Reads the whole body, at once if it has arrived. Null: the client left before. The bytes count in the share of the key
 * until the caller releases `heldBytes`, also after a failure. Rejects with `request_too_large`, with `request_body_timeout`,
 * or with the refusals of `Shares`. A declared length without room is refused before the body is read. Only bytes that
 * arrived are counted, because a client can declare what it never sends.
 */
export function readBody(
  exchange: Receiving,
  limits: BodyLimits,
  shares: Shares,
): Buffer | Promise<Buffer | null> {
  const { call, user } = exchange;
  assert(user !== null, "only a body of an accepted key is read");
  const whole = call.takeBody();
  if (whole === null) {
    shares.check(user, "body_bytes", Number(call.fields.find("content-length") ?? 0));
    if (call.isBodyHeldBack) call.sendContinue();
    const holdBytes = (bytes: number): void => {
      shares.take(user, "body_bytes", bytes);
      exchange.heldBytes += bytes;
    };
    return readParts(exchange, limits, holdBytes);
  }
  if (whole.length > MAX_BODY_BYTES) throw makeTooLargeError();
  shares.take(user, "body_bytes", whole.length);
  exchange.heldBytes = whole.length;
  return whole;
}

/** Makes the memory of bodies that a call reads itself. Its bytes are released with `heldBytes` too. */
export function makeBodyMemory(shares: Shares): BodyMemory {
  return {
    hasRoom({ user }, bytes) {
      try {
        if (user !== null) shares.check(user, "body_bytes", bytes);
        return user !== null;
      } catch {
        return false;
      }
    },
    take(exchange, bytes) {
      assert(exchange.user !== null, "only a body of an accepted key is read");
      shares.take(exchange.user, "body_bytes", bytes);
      exchange.heldBytes += bytes;
    },
  };
}

function readParts(
  exchange: Receiving,
  limits: BodyLimits,
  holdBytes: (bytes: number) => void,
): Promise<Buffer | null> {
  const { call } = exchange;
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const startedMs = performance.now();

    let period = { startMs: startedMs, heldBytes: 0 };

    const fail = (error: unknown): void => {
      clearTimeout(timer);
      call.pauseBody();
      reject(error);
    };
    const checkRate = (): void => {
      const nowMs = performance.now();
      // After a pause of this process, the bytes of the client are still unread.
      const isLate = nowMs - period.startMs > limits.periodMs + LATE_MS;
      if (!isLate && exchange.heldBytes - period.heldBytes < limits.leastBytes) {
        fail(makeTooSlowError());
        return;
      }
      period = { startMs: nowMs, heldBytes: exchange.heldBytes };
      timer.refresh();
    };
    const timer = setTimeout(checkRate, limits.periodMs);
    /** Throws if the body is too large, too slow, or has no room. */
    const keep = (chunk: Buffer): void => {
      if (exchange.heldBytes + chunk.length > MAX_BODY_BYTES) throw makeTooLargeError();
      holdBytes(chunk.length);
      if (chunks.length > 0 && performance.now() - startedMs > limits.totalMs) {
        throw makeTooSlowError();
      }
      chunks.push(chunk);
    };
    call.readBody({
      onData(chunk) {
        try {
          keep(chunk);
        } catch (error) {
          fail(error);
        }
      },
      onEnd() {
        clearTimeout(timer);
        resolve(call.isBodyOwned ? joinOwned(chunks) : Buffer.concat(chunks, exchange.heldBytes));
      },
      onGone() {
        clearTimeout(timer);
        resolve(null);
      },
    });
  });
}

function makeTooLargeError(): ApiError {
  return new ApiError(
    "request_too_large",
    `Request exceeds the maximum size of 32 MB (${MAX_BODY_BYTES} bytes).`,
  );
}

function makeTooSlowError(): ApiError {
  return new ApiError(
    "request_body_timeout",
    "The request body did not arrive in time: the connection was too slow or stalled.",
  );
}
