import type { Rank } from "@bursar/contract/permissions.ts";
import { Field } from "../../ui/field.tsx";
import { Select } from "../../ui/input.tsx";
import { nameRankAndHigher, rankLabels } from "../rank-words.ts";
import type { LimitValue, LimitValues } from "./limit-kind.ts";
import { listSettableRanks } from "./ranks.ts";

interface RankFieldProps {
  /** Rank of the member. */
  own: Rank;
  given: LimitValues;
  values: readonly LimitValue[];
  onChange: (rank: Rank) => void;
}

/** Rank whose value the form sets. Hidden for members who can set at one rank only. */
export function RankField({ own, given, values, onChange }: RankFieldProps) {
  const offered = listSettableRanks(own, given.scopeType, [
    given.rank,
    ...values.map(({ rank }) => rank),
  ]);
  if (offered.length < 2) return null;
  return (
    <Field
      label="Rank"
      hint={`Only ${nameRankAndHigher(given.rank)} can raise or remove this value.`}
    >
      {(control) => (
        <Select
          {...control}
          value={given.rank}
          onChange={({ target }) => {
            const chosen = offered.find((rank) => rank === target.value);
            if (chosen) onChange(chosen);
          }}
        >
          {offered.map((rank) => (
            <option key={rank} value={rank}>
              {rankLabels[rank]}
              {rank === own && " (yours)"}
            </option>
          ))}
        </Select>
      )}
    </Field>
  );
}
