import { rankNames } from "@bursar/contract/permissions.ts";
import { useState } from "react";
import { ConfirmDialog } from "../../ui/dialog.tsx";
import { Choices } from "../../ui/input.tsx";
import { showToast } from "../../ui/toast.ts";
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
  const { limit } = removed;
  const { remove, isBusy, error } = kind.list.useRemove();
  const removable = listRemovableValues(limit, useLimitRank());
  const [rank, setRank] = useState(removable[0]?.rank);
  const value = removable.find((each) => each.rank === rank);
  const staying = limit.values.filter((each) => each !== value);
  const action = `Remove ${kind.name.toLowerCase()}`;
  if (!value) return null;
  const onRemoved = () => {
    showToast(`${kind.name} removed`);
    onClose();
  };
  return (
    <ConfirmDialog
      title={action}
      action={action}
      isOpen
      onClose={onClose}
      isBusy={isBusy}
      error={error}
      onConfirm={() => remove(limit, value.rank, onRemoved)}
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
    </ConfirmDialog>
  );
}
