import { ApiError } from "#src/domain/api-error.ts";
import { ALL_MODELS, findModelGroup, TOKEN_COUNT } from "#src/domain/model-groups.ts";
import { toWireScope } from "#src/domain/wire-scope.ts";
import { formatPlural } from "#src/lib/format-plural.ts";
import type { RateKind } from "./bucket.ts";
import type { RateLimit } from "./limits.sql.ts";
import type { RateRefusal } from "./node-rates.ts";

// The texts of a refusal. It begins as the official one does; what follows says which limit it is.

/** `headers`: what the client is told of its limits beside. */
export function toRateError(
  { limit, rateKind, retryAfterMs }: Omit<RateRefusal, "kind">,
  headers: Readonly<Record<string, string>>,
): ApiError {
  const seconds = Math.max(1, Math.ceil(retryAfterMs / 1_000));
  const perMinute = limit.perMinute[rateKind] ?? 0;
  const message =
    `This request would exceed your ${officialScope[limit.scopeType]} rate limit of ` +
    `${formatPlural(perMinute, kindWords[rateKind])} per minute${groupWords(limit)}. It is the rate limit ${limit.id} of ` +
    `${scopeWords(limit)}. Send the request again in ${formatPlural(seconds, "second")}.`;
  return new ApiError(
    "rate_limited",
    message,
    { "retry-after": String(seconds), ...headers },
    {
      rate_limit: {
        id: limit.id,
        scope: toWireScope(limit),
        model_group: limit.modelGroup,
        kind: rateKind,
        per_minute: perMinute,
      },
    },
  );
}

const officialScope = {
  organization: "organization's",
  workspace: "workspace's",
  api_key: "API key's",
} as const;

const kindWords: Record<RateKind, string> = {
  requests: "request",
  input_tokens: "input token",
  output_tokens: "output token",
};

function groupWords({ modelGroup }: RateLimit): string {
  if (modelGroup === ALL_MODELS) return " for all models";
  if (modelGroup === TOKEN_COUNT) return " for the counting of tokens";
  return ` for ${findModelGroup(modelGroup)?.displayName ?? modelGroup}`;
}

function scopeWords({ scopeType, scopeId }: RateLimit): string {
  switch (scopeType) {
    case "organization":
      return "the organization";
    case "workspace":
      return `workspace ${scopeId}`;
    case "api_key":
      return `API key ${scopeId}`;
  }
}
