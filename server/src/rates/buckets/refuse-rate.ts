import { ApiError } from "#src/domain/api-error.ts";
import { ALL_MODELS, findModelGroup, TOKEN_COUNT } from "#src/domain/model-groups.ts";
import { toWireScope } from "#src/domain/wire-scope.ts";
import { formatPlural } from "#src/lib/format-plural.ts";
import type { RateKind } from "./bucket.ts";
import type { RateLimit } from "./limits.sql.ts";
import type { RateRefusal } from "./node-rates.ts";

// Texts of a refusal. The first sentence is the official one. The others name the limit and the time to wait.

/** Creates the refusal. `headers`: rate limit headers of the response. */
export function toRateError(
  { limit, rateKind, retryAfterMs }: Omit<RateRefusal, "kind">,
  headers: Readonly<Record<string, string>>,
): ApiError {
  const seconds = Math.max(1, Math.ceil(retryAfterMs / 1_000));
  const perMinute = limit.perMinute[rateKind] ?? 0;
  const message =
    `This request would exceed your ${officialScope[limit.scopeType]} rate limit of ` +
    `${formatPlural(perMinute, kindNames[rateKind])} per minute${formatGroup(limit)}. The exceeded limit is ${limit.id} of ` +
    `${formatScope(limit)}. Send the request again in ${formatPlural(seconds, "second")}.`;
  return new ApiError(
    "rate_limited",
    message,
    { "retry-after": String(seconds), ...headers },
    {
      rate_limit: {
        id: limit.id,
        scope: toWireScope(limit),
        ...(limit.scopeName && { scope_name: limit.scopeName }),
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
  member: "personal",
  group: "group's",
  group_member: "personal",
} as const;

const kindNames: Record<RateKind, string> = {
  requests: "request",
  input_tokens: "input token",
  output_tokens: "output token",
};

function formatGroup({ modelGroup }: RateLimit): string {
  if (modelGroup === ALL_MODELS) return " for all models";
  if (modelGroup === TOKEN_COUNT) return " for token counting";
  return ` for ${findModelGroup(modelGroup)?.displayName ?? modelGroup}`;
}

function formatScope({ scopeType, scopeId, scopeName }: RateLimit): string {
  switch (scopeType) {
    case "organization":
      return "the organization";
    case "workspace":
      return `workspace ${scopeId}`;
    case "api_key":
      return `API key ${scopeId}`;
    case "member":
      return `member ${scopeId}`;
    case "group":
      return scopeName ? `group ${scopeName} (${scopeId})` : `group ${scopeId}`;
    case "group_member":
      return `the members of group ${scopeId}`;
  }
}
