import { rankNames } from "@bursar/contract/permissions.ts";
import { useState } from "react";
import { Choices } from "../../ui/input.tsx";
import { ConfirmDelayedChange } from "../delayed-change/confirm-delayed-change.tsx";
import { rankLabels } from "../rank-words.ts";
import type { Limited, LimitKind, LimitValues, NamedLimit } from "./limit-kind.ts";
import { listRemovableValues } from "./ranks.ts";
import { useLimitRank } from "./use-limit-rank.ts";

interface RemoveLimitProps<Limit extends Limited, Values extends LimitValues> {
  kind: LimitKind<Limit, Values>;
  removed: NamedLimit<Limit>;
  onClose: () => void;
}

/** Removes the value of one rank. The values of other ranks stay. */
export function RemoveLimitDialog<Limit extends Limited, Values extends LimitValues>(
  props: RemoveLimitProps<Limit, Values>,
) {
  const { kind, removed, onClose } = props;
  const { limit, name } = removed;
  const change = kind.list.useRemove();
  const removable = listRemovableValues(limit, useLimitRank());
  const [rank, setRank] = useState(removable[0]?.rank);
  const value = removable.find((each) => each.rank === rank);
  const staying = limit.values.filter((each) => each !== value);
  if (!value) return null;
  return (
    <ConfirmDelayedChange
      change={change}
      input={kind.list.toRemoval(limit, value.rank)}
      action={`Remove ${kind.name.toLowerCase()}`}
      urgentAction="Remove now"
      subject={limit.id}
      name={`${kind.name} of ${name}`}
      done="removed"
      onClose={onClose}
    >
      <p>{kind.list.describeRemoval({ ...removed, value })}</p>
      {removable.length > 1 && (
        <Choices
          legend="Value of the rank"
          name="rank"
          value={value.rank}
          onChange={setRank}
          choices={removable.map((each) => ({
            value: each.rank,
            label: rankLabels[each.rank],
            hint: kind.values.describe(each),
          }))}
        />
      )}
      {staying.map((each) => (
        <p key={each.rank}>
          The value of {rankNames[each.rank]} stays: {kind.values.describe(each)}.
        </p>
      ))}
      <kind.effects.Removal limit={limit} value={value} />
    </ConfirmDelayedChange>
  );
}
