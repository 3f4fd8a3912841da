import { hash } from "node:crypto";
import { readPrompt } from "./count-tokens.ts";
import type { Directives } from "./directives.ts";
import { type Exchange, isBeta, type SimulatorDeps } from "./exchange.ts";
import {
  directivesOf,
  makeWireAnswer,
  prepareMessage,
  requestedError,
} from "./make-wire-answer.ts";
import { beginThreadTurn, type ThreadTurn } from "./objects/threads.ts";
import type { RequestLog } from "./request-log.ts";
import { sendEvents, sendJson, waitFor, waitForClose } from "./send-answer.ts";
import { toEvents, toMessage } from "./wire-answer.ts";
import { asFields, readRequest, type WireRequest } from "./wire-request.ts";

/** `POST /v1/messages`. `body` is null if the client disconnected before it was complete. */
export async function answerMessage(
  deps: SimulatorDeps,
  exchange: Exchange,
  body: Buffer | null,
): Promise<void> {
  if (body === null) return;
  const sent = readLogged(deps.log, body);
  const turn = await beginThreadTurn(deps, exchange, sent);
  try {
    await answerRequest(deps, exchange, { request: turn?.request ?? sent, turn, body });
  } finally {
    await turn?.release();
  }
}

interface MessageToAnswer {
  request: WireRequest;
  /** Null: the request has no thread. */
  turn: ThreadTurn | null;
  body: Buffer;
}

async function answerRequest(
  deps: SimulatorDeps,
  exchange: Exchange,
  { request, turn, body }: MessageToAnswer,
): Promise<void> {
  const { response, headers } = exchange;
  const prepared = await prepareMessage(deps, request);
  const { directives } = prepared;
  if (!(await isToBeAnswered(exchange, directives))) return;
  const wire = await makeWireAnswer(deps, prepared, {
    seed: hash("sha1", body, "hex"),
    isAgent: isAgent(exchange),
    isBeta: isBeta(exchange),
    serviceTier: "standard",
    messageId: turn?.messageId ?? null,
  });
  if (!hasEarlyEnd(directives)) await turn?.store(wire);
  if (request.stream === true) await sendEvents(response, toEvents(wire), headers, directives);
  else await sendJson(response, JSON.stringify(toMessage(wire)), headers, directives);
}

/** True if the client will not receive the whole response. */
function hasEarlyEnd(directives: Directives | null): boolean {
  if (directives === null) return false;
  return (directives.cutAfter ?? directives.hangAfter ?? directives.breakAfter) !== null;
}

/** `POST /v1/messages/count_tokens`. */
export async function answerCountTokens(exchange: Exchange, body: Buffer | null): Promise<void> {
  if (body === null) return;
  const request = readRequest(body, false);
  const directives = directivesOf(request.model);
  const { tokens } = readPrompt(request);
  if (!(await isToBeAnswered(exchange, directives))) return;
  const text = JSON.stringify({
    input_tokens: directives?.usage.input ?? tokens,
    ...(isBeta(exchange) && { context_management: null }),
  });
  await sendJson(exchange.response, text, exchange.headers, directives);
}

/** True if the client is Claude Code, which the Agent SDK runs too. */
function isAgent({ request }: Exchange): boolean {
  return request.headers["user-agent"]?.startsWith("claude-cli/") ?? false;
}

/** Reads a request and logs it, also if it is refused. */
function readLogged(log: RequestLog, body: Buffer): WireRequest {
  try {
    const request = readRequest(body, true);
    const userId = asFields(request.metadata)?.user_id;
    log.add(typeof userId === "string" ? userId : null);
    return request;
  } catch (error) {
    log.add(null);
    throw error;
  }
}

/** Runs the directives before a response. Throws the requested error. False: no response is needed. */
async function isToBeAnswered(exchange: Exchange, directives: Directives | null): Promise<boolean> {
  const { response } = exchange;
  if (directives === null) return true;
  if (!(await waitFor(response, directives.slowMs))) return false;
  const { errorStatus } = directives;
  if (errorStatus !== null) throw requestedError(errorStatus);
  if (directives.hangAfter === 0) {
    await waitForClose(response);
    return false;
  }
  if (directives.cutAfter === 0 && !directives.isCutInsideEvent) {
    response.destroy();
    return false;
  }
  return true;
}
