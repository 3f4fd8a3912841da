import { type ReactNode, useState } from "react";
import type { FieldValues, Path, UseFormReturn } from "react-hook-form";
import { ApiError } from "../../api-client.ts";
import { useMay } from "../../session.ts";
import { Button } from "../../ui/button.tsx";
import { ConflictNotice } from "../../ui/conflict-notice.tsx";
import { CancelButton, Dialog, DialogActions } from "../../ui/dialog.tsx";
import { FormError } from "../../ui/states.tsx";
import type { Scope } from "../scopes/scope.ts";
import { ScopePicker, toScope } from "../scopes/scope-picker.tsx";
import { showServerErrors } from "../server-errors.ts";
import { findLastChange } from "./last-change.ts";

// What setting a limit is like, whether of spend or of a rate: whose it is, and what happens when two people do it at once.

interface Limited {
  id: string;
  scope: Scope;
  version: number;
}

export interface ScopeValues {
  scopeType: Scope["type"];
  scopeId: string | null;
}

interface LimitDialogProps<Values extends ScopeValues & FieldValues, Limit extends Limited> {
  /** `limit` */
  what: string;
  /** The limit that is changed, or null for a new one. */
  limit: Limit | null;
  form: UseFormReturn<Values>;
  toValues: (limit: Limit) => Values;
  /** Of the limit that the dialog is about, null while that is to be chosen. */
  describe: (about: Limit | null) => ReactNode;
  /** Where no workspace or key is chosen. */
  unscoped: string;
  /** Sets it, over the one that the person has seen. False: a field says what is wrong. */
  onSave: (given: Values, scope: Scope, over: Limit | null) => Promise<boolean>;
  isBusy: boolean;
  /** The limit of that scope as it is now, or null where there is none any more. */
  look: (given: Values, scope: Scope) => Promise<Limit | null>;
  /** Each field with what it is now and what was entered. */
  compare: (
    now: Limit | null,
    own: Values,
  ) => readonly (readonly [label: string, now: string, own: string])[];
  serverNames?: Partial<Record<string, Path<Values>>>;
  onClose: () => void;
  /** The fields; `isNew` asks whose limit it is too. */
  children: (state: { isNew: boolean }) => ReactNode;
}

export function LimitDialog<Values extends ScopeValues & FieldValues, Limit extends Limited>(
  props: LimitDialogProps<Values, Limit>,
) {
  const { what, limit, form, onSave, onClose } = props;
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
      if (!scope) {
        form.setError("scopeId" as Path<Values>, { message: props.unscoped });
        return;
      }
      try {
        if (await onSave(given, scope, over)) onClose();
      } catch (failure) {
        const isConflict = failure instanceof ApiError && failure.status === 409;
        const find = () => findMeanwhile(props.look(given, scope), over, may("audit_log:read"));
        const found = isConflict && (await find().catch(() => null));
        if (found) setMeanwhile(found);
        else setError(showServerErrors(form, failure as Error, props.serverNames));
      }
    });
  const about = seen ?? meanwhile?.limit ?? limit;
  const action = `${limit ? "Change" : "Set"} ${what}`;
  return (
    <Dialog title={action} description={props.describe(about)} isOpen onClose={onClose}>
      <form onSubmit={(event) => void saveOver(seen)(event)} noValidate className="grid gap-5">
        {props.children({ isNew: !about })}
        <FormError error={error} />
        {meanwhile ? (
          <ConflictNotice
            what={what}
            happened={meanwhile.limit === null ? "removed" : seen === null ? "set" : "changed"}
            by={meanwhile.change}
            fields={props.compare(meanwhile.limit, form.watch())}
            isBusy={props.isBusy}
            onLoad={() => {
              setSeen(meanwhile.limit);
              setMeanwhile(null);
              if (meanwhile.limit) form.reset(props.toValues(meanwhile.limit));
            }}
            onReplace={() => {
              setSeen(meanwhile.limit);
              void saveOver(meanwhile.limit)();
            }}
          />
        ) : (
          <DialogActions>
            <CancelButton />
            <Button kind="primary" type="submit" isBusy={props.isBusy}>
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

interface LimitScopeProps {
  label: string;
  /** The workspace of this page. */
  workspaceId: string | undefined;
  scope: ScopeValues;
  error: string | undefined;
  onChange: (scope: ScopeValues) => void;
}

/** Whose limit a new one is: two fields for a form. */
export function LimitScope({ label, workspaceId, scope, error, onChange }: LimitScopeProps) {
  return (
    <ScopePicker
      label={label}
      types={[
        ...(workspaceId === undefined ? [["organization", "The whole company"] as const] : []),
        ["workspace", workspaceId ? "This workspace" : "A workspace"],
        ["api_key", "One key"],
      ]}
      {...scope}
      workspaceId={workspaceId}
      error={error}
      onType={(scopeType) =>
        onChange({ scopeType, scopeId: scopeType === "workspace" ? (workspaceId ?? null) : null })
      }
      onId={(scopeId) => onChange({ scopeType: scope.scopeType, scopeId })}
    />
  );
}

/** Of a limit that is changed; of a new one, as wide as the page is. */
export function toScopeValues(scope: Scope | null, workspaceId: string | undefined): ScopeValues {
  if (scope === null) {
    return {
      scopeType: workspaceId === undefined ? "organization" : "workspace",
      scopeId: workspaceId ?? null,
    };
  }
  const { type: scopeType } = scope;
  if (scope.type === "organization") return { scopeType, scopeId: null };
  return {
    scopeType,
    scopeId: scope.type === "workspace" ? scope.workspace_id : scope.api_key_id,
  };
}
