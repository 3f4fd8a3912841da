import { refuseField } from "#src/domain/refuse-field.ts";
import { DuplicateKeyError, JsonSyntaxError } from "#src/lib/json-scan.ts";
import { JsonListError, JsonListSplitter } from "#src/lib/split-json-list.ts";
import { refuseBatchBody, tooLarge } from "./refuse-batch.ts";

// Splits the body of a batch into its requests while it arrives, and refuses what is no batch.

/** Bytes of one request of a batch, as of one message. */
export const MAX_REQUEST_BYTES = 32 * 1024 * 1024;
export const MAX_REQUESTS = 100_000;
const FIELD = "requests";

/** Receives the bytes of each request with its place from 0. The bytes are valid during the call. */
export type RequestListener = (bytes: Buffer, index: number) => void;

export class RequestSplitter {
  readonly #splitter: JsonListSplitter;

  constructor(onElement: RequestListener) {
    this.#splitter = new JsonListSplitter({
      field: FIELD,
      maxElements: MAX_REQUESTS,
      maxElementBytes: MAX_REQUEST_BYTES,
      onElement,
    });
  }

  /** Reads the next bytes. Throws a refusal, or what the listener throws. The bytes must not change afterwards. */
  push(chunk: Buffer): void {
    try {
      this.#splitter.push(chunk);
    } catch (error) {
      throw toRefusal(error);
    }
  }

  /** Checks the rest of the body. Returns the number of requests. Throws a refusal. */
  end(): number {
    try {
      return this.#splitter.end();
    } catch (error) {
      throw toRefusal(error);
    }
  }
}

/** Returns the refusal of a body, or the error itself. */
function toRefusal(error: unknown): unknown {
  if (!(error instanceof JsonListError)) return error;
  const path = error.index === null ? FIELD : `${FIELD}.${error.index}`;
  switch (error.fault) {
    case "invalid_json":
      return makeJsonError();
    case "no_object":
      return refuseBatchBody("The request body must be a JSON object.");
    case "other_field":
      return refuseBatchBody("The body of a batch has only the field requests.");
    case "rest_too_large":
      return refuseBatchBody("The request body has too much data outside of requests.");
    case "no_list":
      return refuseField(path, "Input should be a valid list.");
    case "missing_list":
      return refuseField(path, "Field required.");
    case "empty_list":
      return refuseField(path, "A batch has at least one request.");
    case "too_many_elements":
      return refuseField(path, `A batch has at most ${MAX_REQUESTS} requests.`);
    case "element_no_object":
      return refuseField(path, "Input should be a valid dictionary.");
    case "element_too_large":
      return tooLarge(`${path}: A request of a batch has at most ${MAX_REQUEST_BYTES} bytes.`);
    default:
      return error.fault satisfies never;
  }
}

function makeJsonError() {
  return refuseBatchBody("The request body is not valid JSON, or a key appears more than once.");
}

/** Converts errors of the reader to refusals. */
export function readOrRefuse<Result>(read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    if (error instanceof JsonSyntaxError || error instanceof DuplicateKeyError)
      throw makeJsonError();
    throw error;
  }
}
