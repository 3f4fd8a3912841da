import { JsonListError, JsonListSplitter } from "#src/lib/split-json-list.ts";
import { SimulatedError } from "../simulated-error.ts";

// Splits the body of a batch into its requests, with one request in memory at a time.

interface SplitLimits {
  maxBytes: number;
  maxRequests: number;
  maxRequestBytes: number;
}

/** Bytes of each element of `requests`. Throws SimulatedError: 400 for another shape, 413 beyond the limits. */
export async function* splitRequests(
  chunks: AsyncIterable<Buffer>,
  { maxBytes, maxRequests: maxElements, maxRequestBytes: maxElementBytes }: SplitLimits,
): AsyncGenerator<Buffer, void, undefined> {
  let ready: Buffer[] = [];
  const onElement = (element: Buffer) => void ready.push(element);
  const options = { field: "requests", maxElements, maxElementBytes, onElement };
  const splitter = new JsonListSplitter(options);
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new SimulatedError(413, "Request exceeds the maximum size");
    refuseFault(() => splitter.push(chunk), maxElements);
    yield* ready;
    ready = [];
  }
  refuseFault(() => splitter.end(), maxElements);
}

function refuseFault(run: () => unknown, maxRequests: number): void {
  try {
    run();
  } catch (error) {
    throw error instanceof JsonListError ? toSimulated(error, maxRequests) : error;
  }
}

function toSimulated({ fault, index }: JsonListError, maxRequests: number): SimulatedError {
  switch (fault) {
    case "invalid_json":
      return new SimulatedError(400, "The request body is not valid JSON.");
    case "no_object":
      return new SimulatedError(400, "Input should be an object");
    case "other_field":
    case "rest_too_large":
      return new SimulatedError(400, "Extra inputs are not permitted");
    case "no_list":
      return new SimulatedError(400, "requests: Input should be a valid list");
    case "missing_list":
      return new SimulatedError(400, "requests: Field required");
    case "empty_list":
      return new SimulatedError(400, "requests: List should have at least 1 item");
    case "too_many_elements":
      return new SimulatedError(400, `requests: List should have at most ${maxRequests} items`);
    case "element_no_object":
      return new SimulatedError(400, `requests.${index}: Input should be an object`);
    case "element_too_large":
      return new SimulatedError(413, "A request of the batch exceeds the maximum size");
    default:
      return fault satisfies never;
  }
}
