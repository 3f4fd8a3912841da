import { useState } from "react";
import { useApi } from "../../queries.ts";
import { useMay } from "../../session.ts";
import { Consequences } from "../consequences/consequences.tsx";
import { useGroupMembers } from "../members/queries.ts";
import type { Scope } from "../scopes/scope.ts";
import { toScope } from "../scopes/scope-picker.tsx";
import { toUsageFilter } from "../scopes/usage-filter.ts";
import { type RateLimit, useModelGroups } from "./queries.ts";
import { combineRates, describeRateChange, isLowered, type Rates } from "./rate-effects.ts";
import { ALL_MODELS, type RateValues } from "./rate-limit-fields.tsx";
import { perMinuteOf, readPerMinute } from "./words.ts";

interface ChangeProps {
  /** The limit that is changed. Null: a new one. */
  limit: RateLimit | null;
  given: RateValues;
}

/** Effects of the entered limit, beside the values of other ranks. */
export function RateLimitChange({ limit, given }: ChangeProps) {
  const others = limit?.values.filter(({ rank }) => rank !== given.rank) ?? [];
  return (
    <RateConsequences
      scope={toScope(given)}
      modelGroup={given.model_group}
      before={limit ? toRates(limit) : combineRates([])}
      after={combineRates([...others.map(toRates), readRates(given)])}
    />
  );
}

interface RemovalProps {
  limit: RateLimit;
  /** Value that is removed. */
  value: RateLimit["values"][number];
}

/** Effects of a limit without one of its values. */
export function RateLimitRemoval({ limit, value }: RemovalProps) {
  const staying = limit.values.filter((each) => each !== value);
  return (
    <RateConsequences
      scope={limit.scope}
      modelGroup={limit.model_group}
      before={toRates(limit)}
      after={combineRates(staying.map(toRates))}
    />
  );
}

interface ConsequencesProps {
  /** Null: not chosen yet. */
  scope: Scope | null;
  modelGroup: string;
  before: Rates;
  after: Rates;
}

function RateConsequences({ scope, modelGroup, before, after }: ConsequencesProps) {
  const groupId = scope?.type === "group_member" ? scope.group_id : null;
  const members = useGroupMembers(groupId ?? "", groupId !== null);
  const use = useMinutes(scope, modelGroup, isLowered(before, after));
  const sentences = describeRateChange({
    before,
    after,
    minutes: use.data?.data.map((row) => ({
      requests: row.requests,
      input_tokens: row.input_tokens + row.cache_write_5m_tokens + row.cache_write_1h_tokens,
      output_tokens: row.output_tokens,
    })),
    members: members.data?.items.length,
  });
  return <Consequences sentences={sentences} counts={[use]} />;
}

const HOUR_MS = 3_600_000;
/** Rows of an hour, one for each minute. */
const MAX_MINUTES = 100;

/** Use of each minute of the last hour. A group that is no list of models, such as counted tokens, has none. */
function useMinutes(scope: Scope | null, modelGroup: string, isNeeded: boolean) {
  const may = useMay();
  const groups = useModelGroups();
  const [startingAt] = useState(() => new Date(Date.now() - HOUR_MS).toISOString());
  const filter = scope && toUsageFilter(scope);
  const models = groups.data?.data.find(({ id }) => id === modelGroup)?.models ?? null;
  const isCounted = modelGroup === ALL_MODELS || models !== null;
  return useApi(
    "getUsage",
    {
      query: {
        ...filter,
        ...(models && { model: models }),
        starting_at: startingAt,
        bucket: "1m",
        limit: MAX_MINUTES,
      },
    },
    { isEnabled: isNeeded && filter !== null && isCounted && may("usage:read") },
  );
}

const toRates = (limit: Parameters<typeof perMinuteOf>[0]): Rates => ({
  requests: perMinuteOf(limit, "requests"),
  input_tokens: perMinuteOf(limit, "input_tokens"),
  output_tokens: perMinuteOf(limit, "output_tokens"),
});

/** An unfinished number limits nothing. */
const readRates = (given: RateValues): Rates => ({
  requests: readPerMinute(given.requests) ?? null,
  input_tokens: readPerMinute(given.input_tokens) ?? null,
  output_tokens: readPerMinute(given.output_tokens) ?? null,
});
