import { formatCount } from "../../ui/format.ts";
import type { FormStart, LimitKind, NamedLimit } from "../limits/limit-kind.ts";
import { toScopeValues } from "../limits/limit-scope.tsx";
import { toRateScope } from "../scopes/scope.ts";
import { scopeRank } from "../scopes/scope-names.ts";
import {
  findRateLimit,
  type RateLimit,
  useRateLimits,
  useRemoveRateLimit,
  useSetRateLimit,
} from "./queries.ts";
import { RateLimitChange, RateLimitRemoval } from "./rate-consequences.tsx";
import { ALL_MODELS, RateLimitFields, type RateValues } from "./rate-limit-fields.tsx";
import { RateLimitRows } from "./rate-limit-rows.tsx";
import { effectWords, meters, meterWords, perMinuteOf, rateWords, readPerMinute } from "./words.ts";

export const rateLimits: LimitKind<RateLimit, RateValues> = {
  name: "Rate limit",
  writeAction: "rate_limits:write",
  values: {
    describe: rateWords,
    isInForce: (value, limit) =>
      meters.some((meter) => {
        const perMinute = perMinuteOf(value, meter);
        return perMinute !== null && perMinute === perMinuteOf(limit, meter);
      }),
    isStricter: (value, given) =>
      meters.some((meter) => {
        const perMinute = perMinuteOf(value, meter);
        // An empty field sets no number, so each number of another rank is lower.
        return perMinute !== null && perMinute < (readPerMinute(given[meter]) ?? Infinity);
      }),
  },
  list: {
    useLimits: useRateLimits,
    compare: compareNamed,
    Rows: RateLimitRows,
    purpose: `A rate limit applies to requests and tokens per minute of the company, a workspace, a key, a member or a group. ${effectWords}`,
    example: () => ({ what: "command", text: "./bursar rate-limits set --help" }),
    note: `${effectWords} Each request must be within the limits of its key, the key’s owner and the owner’s groups, its workspace and the company. People with a default rate of a group are on the page of the group.`,
    useRemove: useRemoveRateLimit,
    toRemoval: ({ id }, rank) => ({ params: { rate_limit_id: id }, query: { rank } }),
    describeRemoval: ({ limit, name, value }) =>
      `Removes the limit of ${rateWords(value)} (${limit.model_group_name}) for ${name} within a second. Other limits stay.`,
  },
  effects: { Change: RateLimitChange, Removal: RateLimitRemoval },
  form: {
    toValues,
    describe: (about) => (about ? `${about.name}, ${about.limit.model_group_name}` : effectWords),
    unscoped: "Choose a workspace, a key, a member or a group.",
    Fields: RateLimitFields,
    findProblem: (given) =>
      meters.every((meter) => readPerMinute(given[meter]) == null)
        ? { field: "requests", message: "Enter at least one limit." }
        : null,
    useSet: useSetRateLimit,
    toInput: (given, { scope: chosen, if_version }) => {
      const scope = toRateScope(chosen);
      if (scope === null) return null;
      return {
        body: {
          scope,
          model_group: given.model_group,
          requests_per_minute: readPerMinute(given.requests) ?? null,
          input_tokens_per_minute: readPerMinute(given.input_tokens) ?? null,
          output_tokens_per_minute: readPerMinute(given.output_tokens) ?? null,
          if_version,
          rank: given.rank,
        },
      };
    },
    find: async ({ model_group }, chosen) => {
      const scope = toRateScope(chosen);
      return scope && findRateLimit(scope, model_group);
    },
    compare: compareRate,
    serverNames: Object.fromEntries(meters.map((meter) => [`${meter}_per_minute`, meter])),
  },
};

/** The widest scope first. Limits for all models come before limits for some. */
function compareNamed(a: NamedLimit<RateLimit>, b: NamedLimit<RateLimit>): number {
  return (
    scopeRank(a.limit.scope) - scopeRank(b.limit.scope) ||
    a.name.localeCompare(b.name) ||
    groupRank(a.limit) - groupRank(b.limit) ||
    a.limit.model_group_name.localeCompare(b.limit.model_group_name)
  );
}

function groupRank({ models }: RateLimit): number {
  return models === null ? 0 : 1;
}

function toValues(limit: RateLimit | null, { workspaceId, rank, scope }: FormStart): RateValues {
  const shown = limit?.values.find((value) => value.rank === rank) ?? limit;
  return {
    ...toScopeValues(limit?.scope ?? scope ?? null, workspaceId),
    rank,
    model_group: limit?.model_group ?? ALL_MODELS,
    requests: toText(shown?.requests_per_minute ?? null),
    input_tokens: toText(shown?.input_tokens_per_minute ?? null),
    output_tokens: toText(shown?.output_tokens_per_minute ?? null),
  };
}

function compareRate(now: RateLimit | null, own: RateValues) {
  return meters.map(
    (meter) =>
      [
        meterWords[meter].label,
        now ? toText(perMinuteOf(now, meter)) || "Not limited" : "None",
        toText(readPerMinute(own[meter]) ?? null) || "Not limited",
      ] as const,
  );
}

function toText(perMinute: number | null): string {
  return perMinute === null ? "" : formatCount(perMinute);
}
