import { findLastUserText } from "./choose-tool.ts";
import { composeAnswer } from "./compose-answer.ts";
import { readPrompt } from "./count-tokens.ts";
import { type Directives, readDirectives } from "./directives.ts";
import type { SimulatorDeps } from "./exchange.ts";
import { listFileIds, listUploadedFileIds } from "./list-file-ids.ts";
import { findModel, hasGeography, type SimulatedModel } from "./models.ts";
import { getUsableFile } from "./objects/answer-files.ts";
import { checkContainer, findCodeTool, runCode } from "./objects/containers.ts";
import { SimulatedError } from "./simulated-error.ts";
import { type AnswerTerms, type BetaTerms, makeUsage, type WireAnswer } from "./wire-answer.ts";
import { asFields, blocksOf, type WireRequest } from "./wire-request.ts";

// From a request to its response, for single messages and lines of batches.

/** A request that passed all checks. */
export interface PreparedMessage {
  request: WireRequest;
  directives: Directives | null;
  /** Null: a model that the simulator does not list. */
  known: SimulatedModel | null;
  prompt: ReturnType<typeof readPrompt>;
}

/** Facts outside the request's body. */
export interface MessageContext {
  /** Seed of the ids. */
  seed: string;
  /** True if the client is Claude Code or the Agent SDK. */
  isAgent: boolean;
  isBeta: boolean;
  serviceTier: AnswerTerms["serviceTier"];
  /** Id of the response. Null: one from the seed. */
  messageId: string | null;
}

/** Models with a fast mode. Other models ignore the request for it. */
const fastModels = new Set(["claude-opus-5", "claude-opus-4-8"]);

/** Checks a request. Throws SimulatedError. */
export async function prepareMessage(
  deps: SimulatorDeps,
  request: WireRequest,
): Promise<PreparedMessage> {
  const directives = directivesOf(request.model);
  const known = findModel(directives?.model ?? request.model);
  const prompt = readPrompt(request);
  if (known) checkLimits(known, request, prompt.tokens);
  await checkFiles(deps, request);
  await checkContainer(deps, request);
  return { request, directives, known, prompt };
}

/** Composes the response to a request. Throws SimulatedError if the request asks for a missing tool. */
export async function makeWireAnswer(
  deps: SimulatorDeps,
  { request, directives, known, prompt }: PreparedMessage,
  { seed, isAgent, isBeta, serviceTier, messageId }: MessageContext,
): Promise<WireAnswer> {
  const tool = wantsCode(request) ? findCodeTool(request) : null;
  const run = tool === null ? null : await runCode(deps, request, tool);
  const promptTokens = prompt.tokens;
  const answer = composeAnswer(request, { directives, promptTokens, seed, isAgent, run });
  const model = known?.id ?? directives?.model ?? request.model;
  const cached = deps.cache.use(model, prompt.blocks, deps.clock.nowMs());
  const usage = makeUsage(cached, answer, termsOf(request, known, serviceTier), directives);
  const beta = isBeta ? betaTermsOf(request) : null;
  const id = messageId ?? `msg_${seed.slice(0, 24)}`;
  return { id, model, answer, usage, container: run?.container ?? null, beta };
}

/** True if the user names the tool, or the request names a container or uploads a file to one. */
function wantsCode(request: WireRequest): boolean {
  if (request.container != null || listUploadedFileIds(request).size > 0) return true;
  return findLastUserText(request)?.includes("code_execution") ?? false;
}

/** Error that a model name asks for. */
export function requestedError(status: number): SimulatedError {
  return new SimulatedError(status, status === 529 ? "Overloaded" : `Simulated error ${status}`);
}

export function directivesOf(model: string): Directives | null {
  const directives = readDirectives(model);
  if (directives === null || !("unknown" in directives)) return directives;
  throw new SimulatedError(
    404,
    `model: ${model} (the simulator does not understand "${directives.unknown}")`,
  );
}

function betaTermsOf(request: WireRequest): BetaTerms {
  return {
    hasContextManagement: asFields(request.context_management) !== null,
    hasSafeguards: blocksOf(request.safeguards).some(({ type }) => type === "dangerous_tool_use"),
  };
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

function termsOf(
  request: WireRequest,
  model: SimulatedModel | null,
  serviceTier: AnswerTerms["serviceTier"],
): AnswerTerms {
  const isFast = request.speed === "fast" && model !== null && fastModels.has(model.id);
  const geo = request.inference_geo;
  const usual = model === null || hasGeography(model) ? "global" : "not_available";
  return {
    serviceTier,
    speed: isFast ? "fast" : "standard",
    inferenceGeo: typeof geo === "string" ? geo : usual,
  };
}

/** Checks the files that the content names. */
async function checkFiles({ files, clock }: SimulatorDeps, request: WireRequest): Promise<void> {
  for (const id of listFileIds(request)) await getUsableFile(files, id, clock.nowMs());
}
