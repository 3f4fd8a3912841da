import { hash } from "node:crypto";
import { composeAnswer } from "./compose-answer.ts";
import { readPrompt } from "./count-tokens.ts";
import { type Directives, readDirectives } from "./directives.ts";
import { type Exchange, isBeta, type SimulatorDeps } from "./exchange.ts";
import { findModel, hasGeography, type SimulatedModel } from "./models.ts";
import type { RequestLog } from "./request-log.ts";
import { sendEvents, sendJson, waitFor, waitForClose } from "./send-answer.ts";
import { SimulatedError } from "./simulated-error.ts";
import {
  type AnswerTerms,
  type BetaTerms,
  makeUsage,
  toEvents,
  toMessage,
  type WireAnswer,
} from "./wire-answer.ts";
import { asFields, blocksOf, readRequest, type WireRequest } from "./wire-request.ts";

/** Models with a fast mode. Other models ignore the request for it. */
const fastModels = new Set(["claude-opus-5", "claude-opus-4-8"]);

/** `POST /v1/messages`. `body` is null if the client disconnected before it was complete. */
export async function answerMessage(
  deps: SimulatorDeps,
  exchange: Exchange,
  body: Buffer | null,
): Promise<void> {
  if (body === null) return;
  const { response, headers } = exchange;
  const request = readLogged(deps.log, body);
  const directives = directivesOf(request.model);
  const known = findModel(directives?.model ?? request.model);
  const prompt = readPrompt(request);
  if (known) checkLimits(known, request, prompt.tokens);
  if (!(await isToBeAnswered(exchange, directives))) return;
  const seed = hash("sha1", body, "hex");
  const answer = composeAnswer(request, {
    directives,
    promptTokens: prompt.tokens,
    seed,
    isAgent: isAgent(exchange),
  });
  const model = known?.id ?? directives?.model ?? request.model;
  const cached = deps.cache.use(model, prompt.blocks, deps.clock.nowMs());
  const usage = makeUsage(cached, answer, termsOf(request, known), directives);
  const beta = betaTermsOf(exchange, request);
  const wire: WireAnswer = { id: `msg_${seed.slice(0, 24)}`, model, answer, usage, beta };
  if (request.stream === true) await sendEvents(response, toEvents(wire), headers, directives);
  else await sendJson(response, JSON.stringify(toMessage(wire)), headers, directives);
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

function betaTermsOf(exchange: Exchange, request: WireRequest): BetaTerms | null {
  if (!isBeta(exchange)) return null;
  return {
    hasContextManagement: asFields(request.context_management) !== null,
    hasSafeguards: blocksOf(request.safeguards).some(({ type }) => type === "dangerous_tool_use"),
  };
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

function directivesOf(model: string): Directives | null {
  const directives = readDirectives(model);
  if (directives === null || !("unknown" in directives)) return directives;
  throw new SimulatedError(
    404,
    `model: ${model} (the simulator does not understand "${directives.unknown}")`,
  );
}

/** Runs the directives before a response. Throws the requested error. False: no response is needed. */
async function isToBeAnswered(exchange: Exchange, directives: Directives | null): Promise<boolean> {
  const { response } = exchange;
  if (directives === null) return true;
  if (!(await waitFor(response, directives.slowMs))) return false;
  const { errorStatus } = directives;
  if (errorStatus !== null) {
    const message = errorStatus === 529 ? "Overloaded" : `Simulated error ${errorStatus}`;
    throw new SimulatedError(errorStatus, message);
  }
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

function checkLimits(model: SimulatedModel, request: WireRequest, promptTokens: number): void {
  const maxTokens = request.max_tokens ?? 0;
  if (maxTokens > model.max_tokens) {
    throw new SimulatedError(
      400,
      `max_tokens: ${maxTokens} > ${model.max_tokens}, which is the maximum allowed number of output tokens for ${model.id}`,
    );
  }
  if (promptTokens > model.max_input_tokens) {
    throw new SimulatedError(
      400,
      `prompt is too long: ${promptTokens} tokens > ${model.max_input_tokens} maximum`,
    );
  }
  if (request.inference_geo != null && !hasGeography(model)) {
    throw new SimulatedError(400, `inference_geo: not supported by ${model.id}`);
  }
}

function termsOf(request: WireRequest, model: SimulatedModel | null): AnswerTerms {
  const isFast = request.speed === "fast" && model !== null && fastModels.has(model.id);
  const geo = request.inference_geo;
  const usual = model === null || hasGeography(model) ? "global" : "not_available";
  return {
    speed: isFast ? "fast" : "standard",
    inferenceGeo: typeof geo === "string" ? geo : usual,
  };
}
