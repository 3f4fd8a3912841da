import { z } from "zod";
import type { Rate, WorstCase } from "#src/domain/worst-case.ts";

// The worst case of a line as JSON, for the time between its dispatch and its result. Only the parts by which impossible
// usage is found and charged are stored.

const nanoUsd = z.string().transform((text) => BigInt(text));

const rate = z.object({
  nanoUsdPerMillion: nanoUsd,
  twentieths: nanoUsd,
  row: z.string(),
  band: z.enum(["standard", "long_prompt", "fast", "highest_rate"]),
  kind: z.enum(["input", "cacheWrite5m", "cacheWrite1h", "cacheRead", "output"]),
});

const storedWorstCase = z.object({
  isClosed: z.boolean(),
  nanoUsd,
  inputTokens: z.int(),
  outputTokens: z.int(),
  outputBasis: z.enum(["max_tokens", "model", "floor"]),
  inputRate: rate,
  outputRate: rate,
  feesNanoUsd: nanoUsd,
});

/** Formats a worst case as JSON. */
export function encodeWorstCase({ kind, nanoUsd: total, drivers }: WorstCase): string {
  const { inputTokens, outputTokens, outputBasis, inputRate, outputRate, feesNanoUsd } = drivers;
  return JSON.stringify({
    isClosed: kind === "closed",
    nanoUsd: String(total),
    inputTokens,
    outputTokens,
    outputBasis,
    inputRate: encodeRate(inputRate),
    outputRate: encodeRate(outputRate),
    feesNanoUsd: String(feesNanoUsd),
  });
}

function encodeRate({ nanoUsdPerMillion, twentieths, row, band, kind }: Rate): object {
  return {
    nanoUsdPerMillion: String(nanoUsdPerMillion),
    twentieths: String(twentieths),
    row,
    band,
    kind,
  };
}

/** Parses a stored worst case. Parts that were not stored have the value of a stored one. */
export function decodeWorstCase(json: unknown): WorstCase {
  const stored = storedWorstCase.parse(json);
  const { isClosed, nanoUsd: total, inputRate, ...drivers } = stored;
  const bounded = {
    nanoUsd: total,
    drivers: {
      ...drivers,
      calls: 1,
      inputBasis: "bytes" as const,
      inputRate,
      plainRate: inputRate,
      readRate: inputRate,
      writeRate: inputRate,
      geo: "none" as const,
    },
  };
  return isClosed
    ? { kind: "closed", ...bounded }
    : { kind: "open_ended", reasons: [], ...bounded };
}
