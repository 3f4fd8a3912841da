import { ApiError } from "#src/domain/api-error.ts";
import type { ClientCall } from "#src/http1/client-call.ts";
import { joinOwned } from "#src/lib/release-memory.ts";

/** The official limit of `/v1/messages` and `count_tokens`. */
export const MAX_BODY_BYTES = 32 * 1024 * 1024;

export interface BodyLimits {
  /** Longest silence of the client during its body, milliseconds. */
  idleMs: number;
  /** Longest time for a whole body, milliseconds. */
  totalMs: number;
}

/** Bytes of request bodies in the memory of this process, from their arrival until they are sent to the upstream. */
export interface BodyBudget {
  heldBytes: number;
  readonly maxBytes: number;
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
 * Reads the whole body, at once if it has arrived. Null: the client left before. `budget` counts the bytes until the caller subtracts them. Rejects
 * with `request_too_large`, with `overloaded` if this process has too many bodies in memory, or with
 * `request_body_timeout`.
 */
export function readBody(
  call: ClientCall,
  limits: BodyLimits,
  budget: BodyBudget,
): Buffer | Promise<Buffer | null> {
  const whole = call.takeBody();
  if (whole === null) return readParts(call, limits, budget);
  if (whole.length > MAX_BODY_BYTES) throw makeTooLargeError();
  if (budget.heldBytes + whole.length > budget.maxBytes) throw makeOverloadedError();
  budget.heldBytes += whole.length;
  return whole;
}

function readParts(
  call: ClientCall,
  limits: BodyLimits,
  budget: BodyBudget,
): Promise<Buffer | null> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const startedMs = performance.now();
    let bytes = 0;

    const fail = (error: ApiError): void => {
      clearTimeout(timer);
      budget.heldBytes -= bytes;
      call.pauseBody();
      reject(error);
    };
    const timer = setTimeout(() => fail(makeTooSlowError()), limits.idleMs);
    call.readBody({
      onData(chunk) {
        bytes += chunk.length;
        budget.heldBytes += chunk.length;
        chunks.push(chunk);
        if (bytes > MAX_BODY_BYTES) fail(makeTooLargeError());
        else if (budget.heldBytes > budget.maxBytes) fail(makeOverloadedError());
        else if (chunks.length > 1 && performance.now() - startedMs > limits.totalMs)
          fail(makeTooSlowError());
        else timer.refresh();
      },
      onEnd() {
        clearTimeout(timer);
        resolve(call.isBodyOwned ? joinOwned(chunks) : Buffer.concat(chunks, bytes));
      },
      onGone() {
        clearTimeout(timer);
        budget.heldBytes -= bytes;
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

function makeOverloadedError(): ApiError {
  return new ApiError(
    "overloaded",
    "Overloaded: this gateway already has its highest number of bytes of request bodies in memory.",
  );
}

function makeTooSlowError(): ApiError {
  return new ApiError(
    "request_body_timeout",
    "The request body did not arrive in time: the connection was too slow or stalled.",
  );
}
