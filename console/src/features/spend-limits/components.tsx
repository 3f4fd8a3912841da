import { enforcements } from "virtual:contract";
import { Ellipsis, Plus } from "lucide-react";
import { useMemo, useState } from "react";
import { useForm } from "react-hook-form";
import { useList } from "../../queries.ts";
import { useMay } from "../../session.ts";
import { LoadError } from "../../shell/error-pages.tsx";
import { Badge } from "../../ui/badge.tsx";
import { Button, IconButton } from "../../ui/button.tsx";
import { CodeBlock } from "../../ui/code-block.tsx";
import { Combobox } from "../../ui/combobox.tsx";
import { ConfirmDialog, Dialog, DialogActions } from "../../ui/dialog.tsx";
import { Field } from "../../ui/field.tsx";
import { showServerErrors } from "../../ui/form.ts";
import { formatUsd, toNanoUsd, toUsdText } from "../../ui/format.ts";
import { Choices, MoneyInput, Select } from "../../ui/input.tsx";
import { Menu, MenuItem } from "../../ui/menu.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { SpendBar } from "../../ui/spend-bar.tsx";
import { EmptyState, FormError, SkeletonRows } from "../../ui/states.tsx";
import { showToast } from "../../ui/toast.ts";
import { useWorkspaceNames, useWorkspaces } from "../workspaces/queries.ts";
import {
  type Scope,
  type SpendLimit,
  useRemoveLimit,
  useSetLimit,
  useSpendLimits,
} from "./queries.ts";

type Enforcement = SpendLimit["enforcement"];
type Period = SpendLimit["period"];

const enforcementWords: Record<Enforcement, { label: string; hint: string }> = {
  strict: {
    label: "Strict",
    hint: "A request starts only if its worst case fits into what remains.",
  },
  soft: {
    label: "Soft",
    hint: "Requests stop once the limit is reached; those already running may finish above it.",
  },
  alert_only: { label: "Alert only", hint: "Nothing is refused: the limit only counts and warns." },
};

const periodWords: Record<Period, string> = {
  daily: "per day",
  weekly: "per week, from Monday",
  monthly: "per calendar month",
};

/** Limits of the company, or of one workspace and its keys, each with how much of it is used. */
export function LimitList({ workspaceId }: { workspaceId?: string }) {
  const limits = useSpendLimits(workspaceId);
  const may = useMay();
  const nameOf = useScopeNames();
  const [edited, setEdited] = useState<SpendLimit | "new" | null>(null);
  const [removed, setRemoved] = useState<SpendLimit | null>(null);
  if (limits.error) return <LoadError error={limits.error} onRetry={() => void limits.refetch()} />;
  if (limits.isPending) return <SkeletonRows rows={3} />;
  const mayChange = may("spend_limits:write", workspaceId);
  const sorted = [...limits.data.items].sort(byScope);
  const create = mayChange && (
    <Button kind="primary" data-create onClick={() => setEdited("new")}>
      <Plus size={16} /> Set limit…
    </Button>
  );
  return (
    <div className="grid gap-4">
      {sorted.length === 0 ? (
        <EmptyState
          title="No limit is set"
          action={create}
          code={
            <CodeBlock
              what="call"
              text={`curl "$BURSAR_URL/v1/admin/workspaces/limits" -H "x-api-key: $ADMIN_KEY" \\\n  -H 'content-type: application/json' -d '{"workspace_id":"${workspaceId ?? "wksp_…"}","monthly_limit_usd":100.00}'`}
            />
          }
        >
          A limit stops spend before it surprises: for the company, a workspace or a single key, per
          day, week or month.
        </EmptyState>
      ) : (
        <>
          {create && <div className="flex justify-end">{create}</div>}
          <ul className="divide-y divide-line border-y border-line">
            {sorted.map((limit) => (
              <LimitRow
                key={limit.id}
                limit={limit}
                name={nameOf(limit.scope)}
                onEdit={mayChange ? () => setEdited(limit) : undefined}
                onRemove={() => setRemoved(limit)}
              />
            ))}
          </ul>
          <p className="text-sm text-quiet">
            Where several limits apply to a request, all of them must allow it: its key’s, its
            workspace’s and the company’s.
          </p>
        </>
      )}
      {edited !== null && (
        <SetLimitDialog
          limit={edited === "new" ? null : edited}
          workspaceId={workspaceId}
          nameOf={nameOf}
          onClose={() => setEdited(null)}
        />
      )}
      <RemoveLimitDialog limit={removed} nameOf={nameOf} onClose={() => setRemoved(null)} />
    </div>
  );
}

interface LimitRowProps {
  limit: SpendLimit;
  name: string;
  onEdit: (() => void) | undefined;
  onRemove: () => void;
}

function LimitRow({ limit, name, onEdit, onRemove }: LimitRowProps) {
  return (
    <li className="grid gap-x-6 gap-y-2 py-4 sm:grid-cols-[minmax(0,15rem)_minmax(0,1fr)_auto] sm:items-center">
      <div className="min-w-0">
        <p className="truncate font-medium">{name}</p>
        <p className="text-sm text-quiet">
          <span className="figures">{formatUsd(toUsdText(limit.limit_usd))}</span>{" "}
          {periodWords[limit.period]}
        </p>
      </div>
      <div className="grid gap-1.5">
        <SpendBar
          spentUsd={limit.spent_usd}
          heldUsd={limit.held_usd}
          unresolvedUsd={limit.unresolved_usd}
          limitUsd={toUsdText(limit.limit_usd)}
          isExplained
        />
        <p className="flex flex-wrap items-center gap-x-3 gap-y-1 text-sm text-quiet">
          <Badge tone={limit.enforcement === "alert_only" ? "plain" : "accent"}>
            {enforcementWords[limit.enforcement].label}
          </Badge>
          {limit.state === "activating" && (
            <span className="text-warn">Being taken up by every server</span>
          )}
          {limit.blocks_now && <Badge tone="bad">Blocks requests</Badge>}
          <span>
            Starts again <RelativeTime at={limit.period_ends_at} />
          </span>
        </p>
      </div>
      {onEdit ? (
        <Menu
          trigger={
            <IconButton label={`Actions for the limit of ${name}`} className="max-sm:hidden">
              <Ellipsis size={16} />
            </IconButton>
          }
        >
          <MenuItem onSelect={onEdit}>Change limit…</MenuItem>
          <MenuItem onSelect={onRemove} isDanger>
            Remove limit…
          </MenuItem>
        </Menu>
      ) : (
        <span />
      )}
      {onEdit && (
        <p className="flex gap-4 text-sm sm:hidden">
          <button type="button" className="link" onClick={onEdit}>
            Change limit…
          </button>
          <button type="button" className="link" onClick={onRemove}>
            Remove limit…
          </button>
        </p>
      )}
    </li>
  );
}

/** What a scope is called on screen. */
function useScopeNames(): (scope: Scope) => string {
  const workspaceName = useWorkspaceNames();
  const may = useMay();
  const keys = useList("listApiKeys", {}, { isEnabled: may("api_keys:read") });
  const keyNames = useMemo(
    () => new Map(keys.data?.items.map(({ id, name }) => [id, name])),
    [keys.data],
  );
  return (scope) => {
    switch (scope.type) {
      case "organization":
        return "The whole company";
      case "workspace":
        return workspaceName(scope.workspace_id).name;
      case "api_key":
        return `Key ${keyNames.get(scope.api_key_id) ?? scope.api_key_id}`;
    }
  };
}

interface SetLimitProps {
  /** The limit that is changed, or null for a new one. */
  limit: SpendLimit | null;
  workspaceId: string | undefined;
  nameOf: (scope: Scope) => string;
  onClose: () => void;
}

interface LimitValues {
  scopeType: Scope["type"];
  scopeId: string | null;
  period: Period;
  limit_usd: string;
  enforcement: Enforcement;
}

function SetLimitDialog({ limit, workspaceId, nameOf, onClose }: SetLimitProps) {
  const set = useSetLimit();
  const [error, setError] = useState<Error | null>(null);
  const form = useForm<LimitValues>({ defaultValues: toValues(limit, workspaceId) });
  const { errors } = form.formState;
  const values = form.watch();
  const submit = form.handleSubmit(async (given) => {
    setError(null);
    const scope = toScope(given);
    if (!scope) {
      form.setError("scopeId", { message: "Choose whose spend is limited." });
      return;
    }
    try {
      await set.mutateAsync({
        body: {
          scope,
          period: given.period,
          limit_usd: given.limit_usd.replaceAll(",", "").trim(),
          enforcement: given.enforcement,
          // What somebody else changed since the dialog opened is not overwritten unseen.
          ...(limit && { if_version: limit.version }),
          ...(limit && {
            open_ended_hold_usd:
              limit.open_ended_hold_usd === null ? null : toUsdText(limit.open_ended_hold_usd),
          }),
        },
      });
      showToast(`Limit of ${nameOf(scope)} set`);
      onClose();
    } catch (failure) {
      setError(showServerErrors(form, failure as Error));
    }
  });
  return (
    <Dialog
      title={limit ? "Change limit" : "Set limit"}
      description={limit ? `${nameOf(limit.scope)}, ${periodWords[limit.period]}` : undefined}
      isOpen
      onClose={onClose}
    >
      <form onSubmit={(event) => void submit(event)} noValidate className="grid gap-5">
        {!limit && <ScopeFields form={form} workspaceId={workspaceId} />}
        <div className="grid gap-5 sm:grid-cols-2">
          <Field label="Limit" error={errors.limit_usd?.message}>
            {(control) => (
              <MoneyInput
                {...control}
                placeholder="100.00"
                {...form.register("limit_usd", {
                  validate: (text) =>
                    /^\d{1,3}(,\d{3})*(\.\d+)?$|^\d+(\.\d+)?$/.test(text.trim()) ||
                    "Enter an amount of dollars, such as 100.00.",
                })}
              />
            )}
          </Field>
          {!limit && (
            <Field label="Period">
              {(control) => (
                <Select {...control} {...form.register("period")}>
                  <option value="monthly">Each month</option>
                  <option value="weekly">Each week</option>
                  <option value="daily">Each day</option>
                </Select>
              )}
            </Field>
          )}
        </div>
        <Choices
          legend="When it is reached"
          name="enforcement"
          value={values.enforcement}
          onChange={(enforcement) => form.setValue("enforcement", enforcement)}
          choices={enforcements.map((value) => ({ value, ...enforcementWords[value] }))}
        />
        <LoweringWarning limit={limit} amount={values.limit_usd} enforcement={values.enforcement} />
        <FormError error={error} />
        <DialogActions>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" isBusy={set.isPending}>
            {limit ? "Change limit" : "Set limit"}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}

interface ScopeFieldsProps {
  form: ReturnType<typeof useForm<LimitValues>>;
  workspaceId: string | undefined;
}

function ScopeFields({ form, workspaceId }: ScopeFieldsProps) {
  const may = useMay();
  const workspaces = useWorkspaces();
  const keys = useList(
    "listApiKeys",
    { query: workspaceId === undefined ? {} : { workspace_id: workspaceId } },
    { isEnabled: may("api_keys:read", workspaceId) },
  );
  const { scopeType, scopeId } = form.watch();
  const { errors } = form.formState;
  const options =
    scopeType === "workspace"
      ? (workspaces.data?.items ?? []).map(({ id, name }) => ({ value: id, label: name }))
      : (keys.data?.items ?? [])
          .filter(({ status }) => status !== "archived")
          .map(({ id, name, partial_key_hint }) => ({
            value: id,
            label: name,
            note: partial_key_hint.slice(-4),
          }));
  return (
    <div className="grid gap-5 sm:grid-cols-2">
      <Field label="Whose spend">
        {(control) => (
          <Select
            {...control}
            value={scopeType}
            onChange={(event) => {
              const type = event.target.value as Scope["type"];
              form.setValue("scopeType", type);
              form.setValue("scopeId", type === "workspace" ? (workspaceId ?? null) : null);
            }}
          >
            {workspaceId === undefined && <option value="organization">The whole company</option>}
            <option value="workspace">{workspaceId ? "This workspace" : "A workspace"}</option>
            <option value="api_key">One key</option>
          </Select>
        )}
      </Field>
      {(scopeType === "api_key" || (scopeType === "workspace" && workspaceId === undefined)) && (
        <Field
          label={scopeType === "workspace" ? "Workspace" : "Key"}
          error={errors.scopeId?.message}
        >
          {(control) => (
            <Combobox
              control={control}
              options={options}
              value={scopeId}
              onChange={(value) => {
                form.setValue("scopeId", value);
                form.clearErrors("scopeId");
              }}
              placeholder="Type to find"
            />
          )}
        </Field>
      )}
    </div>
  );
}

function LoweringWarning(props: {
  limit: SpendLimit | null;
  amount: string;
  enforcement: Enforcement;
}) {
  const { limit, amount, enforcement } = props;
  const text = amount.replaceAll(",", "").trim();
  if (!limit || enforcement === "alert_only" || !/^\d+(\.\d{1,9})?$/.test(text)) return null;
  if (toNanoUsd(text) > toNanoUsd(limit.spent_usd)) return null;
  return (
    <p role="status" className="rounded-md bg-warn-wash px-3 py-2 text-sm text-warn">
      {formatUsd(limit.spent_usd)} is spent already: this blocks requests at once, until the period
      ends.
    </p>
  );
}

function RemoveLimitDialog(props: {
  limit: SpendLimit | null;
  nameOf: (scope: Scope) => string;
  onClose: () => void;
}) {
  const { limit, nameOf, onClose } = props;
  const remove = useRemoveLimit();
  return (
    <ConfirmDialog
      title="Remove limit"
      action="Remove limit"
      isOpen={limit !== null}
      onClose={onClose}
      isBusy={remove.isPending}
      error={remove.error}
      onConfirm={() =>
        limit &&
        remove.mutate(
          { params: { spend_limit_id: limit.id } },
          {
            onSuccess: () => {
              showToast("Limit removed");
              onClose();
            },
          },
        )
      }
    >
      {limit && (
        <p>
          {nameOf(limit.scope)} may then spend without the limit of{" "}
          {formatUsd(toUsdText(limit.limit_usd))} {periodWords[limit.period]}. Spend goes on being
          counted.
        </p>
      )}
    </ConfirmDialog>
  );
}

function toValues(limit: SpendLimit | null, workspaceId: string | undefined): LimitValues {
  if (!limit) {
    return {
      scopeType: workspaceId === undefined ? "organization" : "workspace",
      scopeId: workspaceId ?? null,
      period: "monthly",
      limit_usd: "",
      enforcement: enforcements[0] ?? "soft",
    };
  }
  const { scope } = limit;
  return {
    scopeType: scope.type,
    scopeId:
      scope.type === "workspace"
        ? scope.workspace_id
        : scope.type === "api_key"
          ? scope.api_key_id
          : null,
    period: limit.period,
    limit_usd: toUsdText(limit.limit_usd),
    enforcement: limit.enforcement,
  };
}

function toScope({ scopeType, scopeId }: LimitValues): Scope | null {
  if (scopeType === "organization") return { type: "organization" };
  if (scopeId === null) return null;
  return scopeType === "workspace"
    ? { type: "workspace", workspace_id: scopeId }
    : { type: "api_key", api_key_id: scopeId };
}

const scopeOrder: Record<Scope["type"], number> = { organization: 0, workspace: 1, api_key: 2 };

function byScope(a: SpendLimit, b: SpendLimit): number {
  return scopeOrder[a.scope.type] - scopeOrder[b.scope.type] || a.id.localeCompare(b.id);
}
