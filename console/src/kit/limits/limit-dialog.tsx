import type { Rank } from "@bursar/contract/permissions.ts";
import type { Path, PathValue, UseFormReturn } from "react-hook-form";
import { useMay } from "../../session.ts";
import { ConflictNotice } from "../../ui/conflict-notice.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { DialogForm } from "../../ui/dialog-form.tsx";
import type { Scope } from "../scopes/scope.ts";
import { toScope } from "../scopes/scope-picker.tsx";
import { type Conflict, useChangeForm } from "../use-change-form.ts";
import { findLastChange } from "./last-change.ts";
import type { Limited, LimitKind, LimitValues } from "./limit-kind.ts";
import { OtherValues } from "./other-values.tsx";
import { RankField } from "./rank-field.tsx";
import { useLimitRank } from "./use-limit-rank.ts";

interface LimitDialogProps<Limit extends Limited, Values extends LimitValues> {
  kind: LimitKind<Limit, Values>;
  /** The limit that is changed, or null for a new one. */
  limit: Limit | null;
  workspaceId: string | undefined;
  /** Scope of a new limit. */
  scope?: Scope;
  nameOf: (scope: Scope) => string;
  onClose: () => void;
}

/** Sets a limit, also when another person changes it at the same time. */
export function LimitDialog<Limit extends Limited, Values extends LimitValues>(
  props: LimitDialogProps<Limit, Values>,
) {
  const { limit, workspaceId, scope: startScope, nameOf, onClose } = props;
  const { name, form: parts, effects } = props.kind;
  const may = useMay();
  const ownRank = useLimitRank();
  const changeForm = useChangeForm(parts.useSet(), {
    defaultValues: parts.toValues(limit, { workspaceId, rank: ownRank, scope: startScope }),
    seen: limit,
    toInput: (given, { form, seen: over }) => {
      const scope = toScope(given);
      const problem = scope
        ? parts.findProblem?.(given)
        : { field: "scopeId" as Path<Values>, message: parts.unscoped };
      if (problem) {
        form.setError(problem.field, { message: problem.message }, { shouldFocus: true });
      }
      if (!scope || problem) return null;
      return parts.toInput(given, { scope, over, if_version: over?.version ?? null });
    },
    toast: ({ scope }) => `${name} of ${nameOf(scope)} set`,
    onSaved: onClose,
    ...(parts.serverNames && { fieldNames: parts.serverNames }),
    findConflict: async (given, over) => {
      const scope = toScope(given);
      return scope && findConflict(parts.find(given, scope), over, may("audit_log:read"));
    },
    toValues: (current, { rank }) => current && parts.toValues(current, { workspaceId, rank }),
  });
  const { form, seen, conflict } = changeForm;
  const about = seen ?? conflict?.current ?? limit;
  const chooseRank = useRankChoice(
    form,
    (rank) => about && parts.toValues(about, { workspaceId, rank }),
  );
  const given = form.watch();
  const noun = name.toLowerCase();
  const action = `${limit ? "Change" : "Set"} ${noun}`;
  return (
    <Dialog
      title={action}
      description={parts.describe(about && { limit: about, name: nameOf(about.scope) })}
      isOpen
      onClose={onClose}
    >
      <DialogForm
        form={changeForm}
        action={action}
        actions={
          conflict && (
            <ConflictNotice
              what={noun}
              happened={conflict.current === null ? "removed" : seen === null ? "set" : "changed"}
              by={conflict.change}
              fields={parts.compare(conflict.current, given)}
              isBusy={changeForm.isBusy}
              onLoad={changeForm.loadCurrent}
              onReplace={changeForm.replaceCurrent}
            />
          )
        }
      >
        <parts.Fields
          form={form}
          isNew={!about}
          rank={
            <RankField
              own={ownRank}
              given={given}
              values={about?.values ?? []}
              onChange={chooseRank}
            />
          }
          workspaceId={workspaceId}
        />
        {about && (
          <OtherValues parts={props.kind.values} limit={about} given={given} own={ownRank} />
        )}
        <effects.Change limit={about} given={given} />
      </DialogForm>
    </Dialog>
  );
}

/**
 * Returns a function that chooses the rank of the form. Fields without input follow to the value of that rank, which
 * `toValues` returns for an existing limit.
 */
function useRankChoice<Values extends LimitValues>(
  form: UseFormReturn<Values>,
  toValues: (rank: Rank) => Values | null,
): (rank: Rank) => void {
  const { dirtyFields } = form.formState;
  return (rank) => {
    const isTouched = Object.keys(dirtyFields).some((name) => name !== "rank");
    const values = isTouched ? null : toValues(rank);
    if (values) form.reset(values);
    else form.setValue("rank" as Path<Values>, rank as PathValue<Values, Path<Values>>);
  };
}

/** Null: the limit is still the one that was `seen`. */
async function findConflict<Limit extends Limited>(
  looking: Promise<Limit | null>,
  seen: Limit | null,
  mayReadAudit: boolean,
): Promise<Conflict<Limit | null> | null> {
  const current = await looking;
  if (current?.version === seen?.version) return null;
  const id = (current ?? seen)?.id;
  const change = mayReadAudit && id !== undefined ? await findLastChange(id) : null;
  return { current, change };
}
