// Requests of a bench without HTTP, with the fields of a typical request.

const id = (prefix: string, number: number) => `${prefix}_${String(number).padStart(24, "0")}`;
const prices = JSON.stringify({
  list: "2026-10-24",
  rows: [{ model: "claude-opus-4-5" }],
  more: "x".repeat(250),
});

export const makeBegin = (number: number) => ({
  requestId: id("req", number),
  startedAtMs: 1_795_777_159_917 + number,
  organizationId: "6c6cd838-680b-4a43-b4d1-bb68ffe67f2b",
  workspaceId: id("wksp", number % 10),
  apiKeyId: id("apikey", number % 100),
  memberId: id("user", number % 100),
  requestedModel: "claude-opus-4-5",
  isStream: true,
  client: "claude_code",
  holdNanoUsd: 1_016_500_000n,
});

export const makeEnding = (number: number) => ({
  endedAtMs: 1_795_777_161_918 + number,
  outcome: "answered" as const,
  httpStatus: 200,
  isEstimated: false,
  isUnpriced: false,
  model: "claude-opus-4-5-20251101",
  serviceTier: "standard",
  contextWindow: "0-200k" as const,
  inferenceGeo: "not_available",
  speed: "standard",
  usage: {
    inputTokens: 912,
    cacheWrite5mTokens: 1_204,
    cacheWrite1hTokens: 0,
    cacheReadTokens: 48_123,
    outputTokens: number % 4_096,
    webSearches: 0,
  },
  cost: {
    input: 4_560_000n,
    cacheWrite5m: 7_525_000n,
    cacheWrite1h: 0n,
    cacheRead: 24_061_500n,
    output: 15_700_000n,
    webSearch: 0n,
    total: 51_846_500n,
  },
  prices,
  upstreamRequestId: id("req", number),
  firstByteMs: 312,
});
