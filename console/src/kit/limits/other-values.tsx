import { includesRank, type Rank, rankNames } from "@bursar/contract/permissions.ts";
import { Badge } from "../../ui/badge.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { useSetterNames } from "../members/setter-names.ts";
import { nameRankAndHigher, rankLabels } from "../rank-words.ts";
import type { Limited, LimitKind, LimitValues } from "./limit-kind.ts";

interface OtherValuesProps<Limit extends Limited, Values extends LimitValues> {
  parts: LimitKind<Limit, Values>["values"];
  limit: Limit;
  given: Values;
  /** Rank of the member. */
  own: Rank;
}

/** Values of the ranks that the form does not set. One of them can keep the limit stricter. */
export function OtherValues<Limit extends Limited, Values extends LimitValues>(
  props: OtherValuesProps<Limit, Values>,
) {
  const { parts, limit, given, own } = props;
  const setterName = useSetterNames();
  const others = limit.values.filter(({ rank }) => rank !== given.rank);
  const stricter = others.filter((value) => parts.isStricter(value, given));
  if (others.length === 0) return null;
  return (
    <div className="grid gap-3 rounded-md bg-sunk px-4 py-3 text-sm">
      <p className="flex flex-wrap justify-between gap-x-4">
        <span className="font-medium">Values of other ranks</span>
        <span className="text-quiet">
          In force: <span className="figures">{parts.describe(limit)}</span>
        </span>
      </p>
      <ul className="grid gap-2">
        {others.map((value) => (
          <li key={value.rank} className="grid gap-0.5">
            <span className="flex flex-wrap items-center gap-x-2.5 gap-y-0.5">
              <span>
                {rankLabels[value.rank]}: <span className="figures">{parts.describe(value)}</span>
              </span>
              {parts.isInForce(value, limit) && <Badge tone="accent">Applies</Badge>}
            </span>
            <span className="text-quiet">
              Set {formatSetter(setterName(value.set_by))} <RelativeTime at={value.set_at} />
            </span>
          </li>
        ))}
      </ul>
      {stricter.map(({ rank }) => (
        <p key={rank} role="status" className="text-warn">
          The value of {rankNames[rank]} stays in force.{" "}
          {includesRank(own, rank)
            ? `To change it, choose the rank ${rankLabels[rank]}.`
            : `Only ${nameRankAndHigher(rank)} can raise it.`}
        </p>
      ))}
    </div>
  );
}

function formatSetter(name: string | null): string {
  return name === null ? "" : `by ${name}`;
}
