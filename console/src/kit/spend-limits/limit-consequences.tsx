import { useApi } from "../../queries.ts";
import { useMay } from "../../session.ts";
import { Consequences } from "../consequences/consequences.tsx";
import { useScopeUse } from "../consequences/scope-use.ts";
import { useGroupMembers } from "../members/queries.ts";
import type { Scope } from "../scopes/scope.ts";
import { toScope } from "../scopes/scope-picker.tsx";
import {
  combineTerms,
  describeCapChange,
  describeLimitChange,
  type LimitTerms,
  readTerms,
  startsRefusing,
  toTerms,
} from "./limit-effects.ts";
import { type SpendLimit, usePeriodSpend } from "./queries.ts";
import { type SpendValues, toAmount } from "./spend-limit-fields.tsx";
import type { Period } from "./words.ts";

interface ChangeProps {
  /** The limit that is changed. Null: a new one. */
  limit: SpendLimit | null;
  given: SpendValues;
}

/** Effects of the entered limit, beside the values of other ranks. */
export function SpendLimitChange({ limit, given }: ChangeProps) {
  const { enforcement, hold, rank, period } = given;
  const rules = { enforcement, hold, unknownFeatures: given.unknown_features };
  const entered = readTerms({ amount: toAmount(given.limit_usd), ...rules });
  const others = limit?.values.filter((value) => value.rank !== rank) ?? [];
  return (
    <LimitConsequences
      scope={toScope(given)}
      period={period}
      before={limit && toTerms(limit)}
      // An unfinished amount changes nothing yet.
      after={entered ? combineTerms([...others.map(toTerms), entered]) : limit && toTerms(limit)}
    />
  );
}

interface RemovalProps {
  limit: SpendLimit;
  /** Value that is removed. */
  value: SpendLimit["values"][number];
}

/** Effects of a limit without one of its values. */
export function SpendLimitRemoval({ limit, value }: RemovalProps) {
  const staying = limit.values.filter((each) => each !== value);
  return (
    <LimitConsequences
      scope={limit.scope}
      period={limit.period}
      before={toTerms(limit)}
      after={combineTerms(staying.map(toTerms))}
    />
  );
}

interface ConsequencesProps {
  /** Null: not chosen yet. */
  scope: Scope | null;
  period: Period;
  before: LimitTerms | null;
  after: LimitTerms | null;
}

function LimitConsequences(props: ConsequencesProps) {
  const { scope } = props;
  if (scope === null) return null;
  if (scope.type === "group_member") return <CapConsequences {...props} groupId={scope.group_id} />;
  return <ScopeConsequences {...props} scope={scope} />;
}

function ScopeConsequences({ scope, period, ...terms }: ConsequencesProps & { scope: Scope }) {
  const spend = usePeriodSpend(scope, period);
  const change = { ...terms, spend: spend.data };
  const { counts, ...use } = useScopeUse(scope, { isEnabled: startsRefusing(change) });
  return (
    <Consequences sentences={describeLimitChange({ ...change, ...use, period })} counts={counts} />
  );
}

/** Maximum number of members whose spend is compared. */
const MAX_COMPARED = 100;

function CapConsequences({ groupId, period, ...terms }: ConsequencesProps & { groupId: string }) {
  const may = useMay();
  const members = useGroupMembers(groupId, may("groups:read"));
  const ids = (members.data?.items ?? []).map(({ member_id }) => member_id);
  const { data: bounds } = usePeriodSpend({ type: "group", group_id: groupId }, period);
  const usage = useApi(
    "getUsage",
    {
      query: {
        member_id: ids,
        starting_at: bounds?.period_starts_at ?? "",
        bucket: "none",
        group_by: ["member"],
        limit: MAX_COMPARED,
      },
    },
    { isEnabled: bounds !== undefined && ids.length > 0 && ids.length <= MAX_COMPARED },
  );
  const sentences = describeCapChange({
    ...terms,
    period,
    spends: usage.data?.data.map(({ cost_usd }) => cost_usd),
    members: members.data?.items.length,
  });
  return (
    <Consequences sentences={sentences} counts={sentences.length > 0 ? [members, usage] : []} />
  );
}
