import { ApiError } from "#src/domain/api-error.ts";
import { halveWorstCase } from "#src/domain/batch-worst-case.ts";
import { type FeatureBook, removeNeutralParts } from "#src/domain/feature-book.ts";
import type { PriceBook } from "#src/domain/price-book.ts";
import { refuseField } from "#src/domain/refuse-field.ts";
import { findTimeBilled } from "#src/domain/request-reach.ts";
import { computeWorstCost, type WorstCase } from "#src/domain/worst-case.ts";
import { type ParsedMessage, parseMessage } from "#src/gateway/parse-message.ts";
import { JsonReader } from "#src/lib/json-scan.ts";
import { refuseLine } from "./refuse-batch.ts";
import { readOrRefuse } from "./split-requests.ts";

/** Facts of one request of a batch, before its dispatch. */
export interface BatchLine {
  customId: string;
  /** Place in the batch, from 0. */
  index: number;
  model: string;
  /** Highest cost at the prices of batches. */
  worstCase: WorstCase;
  hasUnbilledParts: boolean;
}

export interface LineDeps {
  features: FeatureBook;
  book: PriceBook;
  /** Time that selects the prices, milliseconds since the epoch. */
  atMs: number;
  /** Throws the refusal of a message that the key, a limit or the upstream does not allow. */
  check: (message: ParsedMessage, worstCase: WorstCase) => void;
}

const CUSTOM_ID = /^[a-zA-Z0-9_-]{1,64}$/;

/** Reads one request. Throws a refusal that names the request and the field. */
export function readLine(deps: LineDeps, bytes: Buffer, index: number): BatchLine {
  const { customId, params } = readParts(bytes, index);
  try {
    const message = removeNeutralParts(parseMessage(params), deps.features);
    refuseUnbatched(message);
    const worstCase = halveWorstCase(computeWorstCost(message, deps.book, deps.atMs));
    deps.check(message, worstCase);
    const hasUnbilledParts = findTimeBilled(message) !== null;
    return { customId, index, model: message.model, worstCase, hasUnbilledParts };
  } catch (error) {
    throw error instanceof ApiError ? refuseLine(error, index) : error;
  }
}

function readParts(bytes: Buffer, index: number): { customId: string; params: Buffer } {
  const path = `requests.${index}`;
  let customId: string | null = null;
  let params: Buffer | null = null;
  readOrRefuse(() => {
    const reader = new JsonReader(bytes);
    reader.beginObject();
    for (let key = reader.nextKey(); key !== null; key = reader.nextKey()) {
      if (key === "custom_id" && reader.kind() === "string") customId = reader.readString();
      else if (key === "params" && reader.kind() === "object") params = reader.sliceValue();
      else throw refuseField(path, "A request has a custom_id and params alone.");
    }
    reader.end();
  });
  if (customId === null || !CUSTOM_ID.test(customId)) {
    const field = `${path}.custom_id`;
    throw refuseField(field, "Send 1 to 64 letters, digits, hyphens or underscores.");
  }
  if (params === null) {
    throw refuseField(`${path}.params`, "Field required.");
  }
  return { customId, params };
}

/** Refuses features that batches do not have. */
function refuseUnbatched({ isStream, speed, markers }: ParsedMessage): void {
  if (isStream) throw refuseField("stream", "a request of a batch cannot stream.");
  if (speed === "fast") throw refuseField("speed", "a batch has no fast mode.");
  if (markers.hasThread) throw refuseField("thread", "a request of a batch has no thread.");
}
