import { useState } from "react";
import { type DefaultValues, type Path, useForm } from "react-hook-form";
import { ApiError } from "../../api-client.ts";
import { useMay } from "../../session.ts";
import { Button } from "../../ui/button.tsx";
import { ConflictNotice } from "../../ui/conflict-notice.tsx";
import { CancelButton, Dialog, DialogActions } from "../../ui/dialog.tsx";
import { FormError } from "../../ui/states.tsx";
import { showToast } from "../../ui/toast.ts";
import type { Scope } from "../scopes/scope.ts";
import { toScope } from "../scopes/scope-picker.tsx";
import { showServerErrors } from "../server-errors.ts";
import { findLastChange } from "./last-change.ts";
import type { Limited, LimitKind, LimitValues } from "./limit-kind.ts";

interface LimitDialogProps<Limit extends Limited, Values extends LimitValues> {
  kind: LimitKind<Limit, Values>;
  /** The limit that is changed, or null for a new one. */
  limit: Limit | null;
  workspaceId: string | undefined;
  nameOf: (scope: Scope) => string;
  onClose: () => void;
}

/** Sets a limit, also when another person changes it at the same time. */
export function LimitDialog<Limit extends Limited, Values extends LimitValues>(
  props: LimitDialogProps<Limit, Values>,
) {
  const { limit, workspaceId, nameOf, onClose } = props;
  const { name, form: parts } = props.kind;
  const toValues = (current: Limit | null) => parts.toValues(current, workspaceId);
  const form = useForm<Values>({ defaultValues: toValues(limit) as DefaultValues<Values> });
  const { save, isBusy } = parts.useSave();
  const may = useMay();
  const [error, setError] = useState<Error | null>(null);
  /** What the person has seen, and means to change; null where there was none. */
  const [seen, setSeen] = useState(limit);
  const [meanwhile, setMeanwhile] = useState<Meanwhile<Limit> | null>(null);
  const saveOver = (over: Limit | null) =>
    form.handleSubmit(async (given) => {
      setError(null);
      setMeanwhile(null);
      const scope = toScope(given);
      const problem = scope
        ? parts.findProblem?.(given)
        : { field: "scopeId" as Path<Values>, message: parts.unscoped };
      if (problem) {
        form.setError(problem.field, { message: problem.message }, { shouldFocus: true });
      }
      if (!scope || problem) return;
      try {
        await save(given, { scope, over, if_version: over?.version ?? null });
        showToast(`${name} of ${nameOf(scope)} set`);
        onClose();
      } catch (failure) {
        const isConflict = failure instanceof ApiError && failure.status === 409;
        const find = () => findMeanwhile(parts.find(given, scope), over, may("audit_log:read"));
        const found = isConflict && (await find().catch(() => null));
        if (found) setMeanwhile(found);
        else setError(showServerErrors(form, failure as Error, parts.serverNames));
      }
    });
  const about = seen ?? meanwhile?.limit ?? limit;
  const noun = name.toLowerCase();
  const action = `${limit ? "Change" : "Set"} ${noun}`;
  return (
    <Dialog
      title={action}
      description={parts.describe(about && { limit: about, name: nameOf(about.scope) })}
      isOpen
      onClose={onClose}
    >
      <form onSubmit={(event) => void saveOver(seen)(event)} noValidate className="grid gap-5">
        <parts.Fields form={form} isNew={!about} workspaceId={workspaceId} />
        <FormError error={error} />
        {meanwhile ? (
          <ConflictNotice
            what={noun}
            happened={meanwhile.limit === null ? "removed" : seen === null ? "set" : "changed"}
            by={meanwhile.change}
            fields={parts.compare(meanwhile.limit, form.watch())}
            isBusy={isBusy}
            onLoad={() => {
              setSeen(meanwhile.limit);
              setMeanwhile(null);
              if (meanwhile.limit) form.reset(toValues(meanwhile.limit));
            }}
            onReplace={() => {
              setSeen(meanwhile.limit);
              void saveOver(meanwhile.limit)();
            }}
          />
        ) : (
          <DialogActions>
            <CancelButton />
            <Button kind="primary" type="submit" isBusy={isBusy}>
              {action}
            </Button>
          </DialogActions>
        )}
      </form>
    </Dialog>
  );
}

/** What became of a limit while somebody had an older one before them. */
interface Meanwhile<Limit> {
  /** As it is now; null where there is none any more. */
  limit: Limit | null;
  /** Who did it and when, for who may read the audit log. */
  change: { actor: string; at: string } | null;
}

/** Null where the limit is still the one that was `seen`, so that nothing came between. */
async function findMeanwhile<Limit extends Limited>(
  looking: Promise<Limit | null>,
  seen: Limit | null,
  mayReadAudit: boolean,
): Promise<Meanwhile<Limit> | null> {
  const limit = await looking;
  if (limit?.version === seen?.version) return null;
  const id = (limit ?? seen)?.id;
  return {
    limit,
    change: mayReadAudit && id !== undefined ? await findLastChange(id) : null,
  };
}
