import { hash } from "node:crypto";
import type { SimulatorDeps } from "../exchange.ts";
import { makeWireAnswer, prepareMessage, requestedError } from "../make-wire-answer.ts";
import { newRequestId } from "../response-headers.ts";
import { errorObject, SimulatedError } from "../simulated-error.ts";
import { toMessage } from "../wire-answer.ts";
import { asFields, readRequest, refuse } from "../wire-request.ts";
import type { LineKind } from "./object-stores.ts";

/** One request of a batch. */
interface BatchLine {
  customId: string;
  params: object;
}

export interface AnsweredLine {
  kind: LineKind;
  /** Minimum time until the batch ends, milliseconds. */
  slowMs: number;
  /** Official line of the results. */
  text: string;
}

interface LineContext extends SimulatorDeps {
  isBeta: boolean;
}

const customIdPattern = /^[a-zA-Z0-9_-]{1,64}$/;

/** Reads a line. Throws SimulatedError(400), which refuses the whole batch. */
export function readLine(bytes: Buffer, index: number): BatchLine {
  const at = `requests.${index}`;
  let parsed: unknown;
  try {
    parsed = JSON.parse(bytes.toString("utf8"));
  } catch {
    throw refuse("The request body is not valid JSON.");
  }
  const fields = asFields(parsed);
  if (fields === null) throw refuse(`${at}: Input should be an object`);
  const { custom_id: customId } = fields;
  if (customId === undefined) throw refuse(`${at}.custom_id: Field required`);
  if (typeof customId !== "string" || !customIdPattern.test(customId)) {
    throw refuse(`${at}.custom_id: String should match pattern '${customIdPattern.source}'`);
  }
  const params = asFields(fields.params);
  if (params === null) throw refuse(`${at}.params: Field required`);
  return { customId, params };
}

/** Answers a line. Invalid parameters are an error of the line alone. */
export async function answerLine(
  context: LineContext,
  line: BatchLine,
  place: { batchId: string; index: number },
): Promise<AnsweredLine> {
  let slowMs = 0;
  try {
    const request = readRequest(line.params, true);
    if (request.stream === true) throw refuse("stream: not supported in a batch");
    if (request.speed === "fast") throw refuse("speed: fast is not supported in a batch");
    if (request.thread != null) throw refuse("thread: not supported in a batch");
    const prepared = await prepareMessage(context, request);
    const { directives } = prepared;
    slowMs = directives?.slowMs ?? 0;
    if (directives?.isExpired) return { kind: "expires", slowMs, text: emptyText(line) };
    if (directives?.hangAfter != null) return { kind: "hangs", slowMs, text: emptyText(line) };
    if (directives !== null && (directives.cutAfter ?? directives.breakAfter) !== null) {
      throw new SimulatedError(500, "Internal server error");
    }
    if (directives?.errorStatus != null) throw requestedError(directives.errorStatus);
    const seed = hash("sha1", JSON.stringify(place), "hex");
    const wire = await makeWireAnswer(context, prepared, {
      seed,
      isAgent: false,
      isBeta: context.isBeta,
      serviceTier: "batch",
      messageId: null,
    });
    const result = { type: "succeeded", message: toMessage(wire) };
    const kind = directives?.isUncancelable ? "finishes" : "succeeds";
    return { kind, slowMs, text: toText(line, result) };
  } catch (error) {
    if (!(error instanceof SimulatedError)) throw error;
    const failure = errorObject(error, newRequestId(context.clock.nowMs()));
    return { kind: "fails", slowMs, text: toText(line, { type: "errored", error: failure }) };
  }
}

function emptyText(line: BatchLine): string {
  return toText(line, { type: "expired" });
}

function toText({ customId }: BatchLine, result: object): string {
  return JSON.stringify({ custom_id: customId, result });
}
