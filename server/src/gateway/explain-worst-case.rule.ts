import { DENOMINATOR, TWENTIETHS } from "#src/domain/exact-cost.ts";
import type { UnknownPart } from "#src/domain/hold-request.ts";
import { formatUsd } from "#src/domain/money.ts";
import { isNameable, isPlainName } from "#src/domain/neutral-features.ts";
import type { OpenEndedReason } from "#src/domain/open-ended.ts";
import type { Rate, WorstCase, WorstCaseDrivers } from "#src/domain/worst-case.ts";

/** Amounts are rounded up to a hundredth of a cent. Smaller amounts have all their digits. */
const SHOWN_NANO_USD = 100_000n;

/**
 * Explains the highest cost of a request and its parts for the sender: the largest part first, then the assumptions. Names
 * fields and models, and never content.
 */
export function explainWorstCase(worstCase: WorstCase): string {
  const { drivers } = worstCase;
  const total = showUsd(worstCase.nanoUsd);
  const sentences = [`The request can cost up to ${total}: ${partsOf(drivers).join("; ")}.`];
  if (worstCase.kind !== "closed") sentences.push(...worstCase.reasons.map(explainReason));
  if (worstCase.kind === "refused") sentences.push(timeBilledTexts[worstCase.reason]);
  if (drivers.geo === "workspace_default" && isMultiplied(drivers)) {
    sentences.push(
      'inference_geo is not set, so the price of inference in the US is assumed; "global" avoids it.',
    );
  }
  return sentences.join(" ");
}

const timeBilledTexts = {
  code_execution:
    "Code execution is billed by the hour of a container, which nothing in the request bounds.",
  container: "A container is billed by the hour, which nothing in the request bounds.",
} as const;

function partsOf(drivers: WorstCaseDrivers): string[] {
  const parts = [
    {
      text: `${describeOutput(drivers)} × ${describeRate(drivers.outputRate)}`,
      nanoUsd: costOf(drivers.outputTokens, drivers.outputRate),
    },
    {
      text: `${describeInput(drivers)} × ${describeRate(drivers.inputRate)}`,
      nanoUsd: costOf(drivers.inputTokens, drivers.inputRate),
    },
    { text: "web searches", nanoUsd: drivers.feesNanoUsd },
  ];
  return parts
    .filter(({ nanoUsd }) => nanoUsd > 0n)
    .sort((a, b) => Number(b.nanoUsd - a.nanoUsd))
    .map(({ text, nanoUsd }) => `${text} = ${showUsd(nanoUsd)}`);
}

function describeOutput({ outputBasis, outputTokens, calls }: WorstCaseDrivers): string {
  const tokens = showCount(outputTokens / calls);
  const times = calls === 1 ? "" : `${showCount(calls)} calls × `;
  switch (outputBasis) {
    case "max_tokens":
      return `${times}max_tokens ${tokens}`;
    case "model":
      return `${times}the model's maximum output of ${tokens} tokens`;
    case "floor":
      return `${times}an output of ${tokens} tokens`;
  }
}

function describeInput({ inputBasis, inputTokens, calls }: WorstCaseDrivers): string {
  const tokens = `${showCount(inputTokens)} tokens`;
  const together = calls === 1 ? "" : `, in ${showCount(calls)} calls`;
  switch (inputBasis) {
    case "bytes":
      return `an input of at most ${tokens} by its bytes and images${together}`;
    case "counted":
      return `an input of at most ${tokens} as counted, with a margin${together}`;
    case "window":
      return `the whole context window, ${tokens}${together}`;
    case "url":
      return `a source by URL, which counts as the whole context window, ${tokens}${together}`;
    case "file":
      return `a file by its id, which counts as the whole context window, ${tokens}${together}`;
    case "opaque":
      return `a PDF or a block that is not known, which counts as the whole context window, ${tokens}${together}`;
  }
}

const bandTexts = {
  standard: null,
  long_prompt: "long prompt",
  fast: "fast mode",
  highest_rate: "the highest rate of all models",
} as const;

const kindTexts = {
  input: null,
  output: null,
  cacheRead: "cache read",
  cacheWrite5m: "5m cache write",
  cacheWrite1h: "1h cache write",
} as const;

function describeRate({ nanoUsdPerMillion, twentieths, band, kind }: Rate): string {
  const price = formatUsd(nanoUsdPerMillion).replace(/\.00$/, "");
  const notes = [kindTexts[kind], bandTexts[band]].filter((note) => note !== null);
  const shown = notes.length === 0 ? `$${price}/M` : `$${price}/M (${notes.join(", ")})`;
  return twentieths === TWENTIETHS
    ? shown
    : `${shown} × ${Number(twentieths) / Number(TWENTIETHS)}`;
}

function explainReason(reason: OpenEndedReason): string {
  switch (reason.kind) {
    case "server_tool":
      return `${reason.type} may bill the prompt again with each use${describeUses(reason)}`;
    case "mcp_servers":
      return "MCP servers may bill the prompt again with each call of a tool.";
    case "container":
      return "A container or its skills may bill the prompt again with each step.";
    case "compaction":
      return "Compaction is a separate call of the model.";
    case "thread":
      return "A thread holds a conversation that is not part of the request.";
    case "unknown_parts":
      return `The request has parts that this server does not know (${listUnknownParts(reason.parts)}), which may call any model.`;
    case "default_fallbacks":
      return "The request names no fallbacks, so any model may answer after its own.";
  }
}

/** Server tools with a field `max_uses` in the types of the official SDK. */
const boundedTool = /^(web_search|web_fetch|advisor)(_|$)/;

function describeUses({ type, maxUses }: { type: string; maxUses: number | null }): string {
  if (maxUses !== null) return `; max_uses is ${showCount(maxUses)}.`;
  return boundedTool.test(type) ? "; max_uses would bound that." : ".";
}

function isMultiplied({ inputRate, outputRate }: WorstCaseDrivers): boolean {
  return inputRate.twentieths > TWENTIETHS || outputRate.twentieths > TWENTIETHS;
}

/** Rounded up to a whole nano-dollar. */
function costOf(tokens: number, { nanoUsdPerMillion, twentieths }: Rate): bigint {
  return (BigInt(tokens) * nanoUsdPerMillion * twentieths + DENOMINATOR - 1n) / DENOMINATOR;
}

function showUsd(nanoUsd: bigint): string {
  if (nanoUsd < SHOWN_NANO_USD) return `$${formatUsd(nanoUsd)}`;
  const steps = (nanoUsd + SHOWN_NANO_USD - 1n) / SHOWN_NANO_USD;
  return `$${formatUsd(steps * SHOWN_NANO_USD)}`;
}

function showCount(count: number): string {
  return String(Math.ceil(count)).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** Lists unknown parts for the sender, such as `field autopilot`. */
export function listUnknownParts(parts: readonly UnknownPart[]): string {
  return parts.map(showUnknownPart).join(", ");
}

/** Kind and name of an unknown part, such as `field autopilot`. */
export function showUnknownPart({ kind, name }: UnknownPart): string {
  return `${kind} ${showName(name)}`;
}

/** Name of a part, if it is a plain word. The client can send any text as a key. */
function showName(name: string): string {
  return isPlainName(name) && isNameable(name) ? name : "(unnamed)";
}
