import { Link } from "@tanstack/react-router";
import { useState } from "react";
import type { UseFormReturn } from "react-hook-form";
import type { Answer } from "../../api-client.ts";
import { Consequences } from "../../kit/consequences/consequences.tsx";
import { useChangeForm } from "../../kit/use-change-form.ts";
import { useList } from "../../queries.ts";
import { Button } from "../../ui/button.tsx";
import { Field } from "../../ui/field.tsx";
import { formatPlural } from "../../ui/format.ts";
import { Input } from "../../ui/input.tsx";
import { Section } from "../../ui/page.tsx";
import { ErrorState, FormError, SkeletonRows } from "../../ui/states.tsx";
import { useRotationPolicy, useSetRotationPolicy } from "./queries.ts";
import { countOlderKeys, describeOlderKeys, describeRotation } from "./rotation-words.ts";

type Policy = Answer<"getRotationPolicy">;

/** Rotation policy of a workspace, and its form for members with the permission. */
export function RotationPolicy(props: { workspaceId: string; mayChange: boolean }) {
  const { workspaceId, mayChange } = props;
  const policy = useRotationPolicy(workspaceId);
  return (
    <Section title="Key rotation" lead="Regular rotation limits the damage of a leaked secret.">
      {policy.error && !policy.data ? (
        <ErrorState error={policy.error} onRetry={() => void policy.refetch()} />
      ) : policy.data ? (
        <>
          <State policy={policy.data} />
          {mayChange && <PolicyForm policy={policy.data} />}
        </>
      ) : (
        <SkeletonRows rows={2} />
      )}
    </Section>
  );
}

function State({ policy }: { policy: Policy }) {
  const { due_soon, overdue } = policy.keys;
  if (policy.rotation_days === null || due_soon + overdue === 0) return null;
  return (
    <p role="status" className="rounded-md bg-warn-wash px-4 py-3 text-sm text-warn">
      {overdue > 0 && `${formatPlural(overdue, "key is", "keys are")} overdue. `}
      {due_soon > 0 && `${formatPlural(due_soon, "key is", "keys are")} due soon. `}
      <Link
        to="/workspaces/$workspaceId"
        params={{ workspaceId: policy.workspace_id }}
        className="font-semibold underline"
      >
        Show keys
      </Link>
    </p>
  );
}

interface Values {
  rotation_days: string;
  remind_days: string;
  grace_days: string;
}

const DEFAULT_DAYS = "14";

function PolicyForm({ policy }: { policy: Policy }) {
  const { form, submit, isBusy, error } = useChangeForm(useSetRotationPolicy(), {
    values: {
      rotation_days: policy.rotation_days === null ? "" : String(policy.rotation_days),
      remind_days: String(policy.remind_days ?? DEFAULT_DAYS),
      grace_days: String(policy.grace_days ?? DEFAULT_DAYS),
    },
    toInput: ({ rotation_days, remind_days, grace_days }) => {
      const days = toDays(rotation_days);
      return {
        params: { workspace_id: policy.workspace_id },
        body:
          days === null
            ? { rotation_days: null }
            : {
                rotation_days: days,
                remind_days: Number(remind_days),
                grace_days: Number(grace_days),
              },
      };
    },
    toast: ({ rotation_days }) =>
      rotation_days === null
        ? "Key rotation turned off"
        : `Key rotation set to ${rotation_days} days`,
  });
  const values = form.watch();
  return (
    <form noValidate className="grid gap-4" onSubmit={submit}>
      <div className="grid gap-4 sm:grid-cols-3">
        <DaysField
          form={form}
          name="rotation_days"
          label="Rotation interval"
          hint="Days. Empty: never."
        />
        {toDays(values.rotation_days) !== null && (
          <>
            <DaysField form={form} name="remind_days" label="Reminder" hint="Days before." />
            <DaysField form={form} name="grace_days" label="Expiry" hint="Days overdue." />
          </>
        )}
      </div>
      <p aria-live="polite" className="text-sm text-quiet">
        {describeRotation({
          rotationDays: toDays(values.rotation_days),
          remindDays: toDays(values.remind_days),
          graceDays: toDays(values.grace_days),
        })}
      </p>
      {form.formState.isDirty && <OlderKeys policy={policy} values={values} />}
      <FormError error={error} />
      <Button
        kind="primary"
        type="submit"
        className="w-fit"
        isBusy={isBusy}
        disabled={!form.formState.isDirty}
      >
        Save rotation policy
      </Button>
    </form>
  );
}

/** Keys that a new or stricter policy makes due. */
function OlderKeys({ policy, values }: { policy: Policy; values: Values }) {
  const [nowMs] = useState(() => Date.now());
  const rotationDays = toDays(values.rotation_days);
  const [remindDays, graceDays] = [toDays(values.remind_days), toDays(values.grace_days)];
  const isStricter =
    rotationDays !== null && rotationDays < (policy.rotation_days ?? Number.POSITIVE_INFINITY);
  const keys = useList(
    "listApiKeys",
    { query: { workspace_id: policy.workspace_id } },
    { isEnabled: isStricter },
  );
  const isKnown = isStricter && keys.data && remindDays !== null && graceDays !== null;
  return (
    <Consequences
      sentences={
        isKnown
          ? describeOlderKeys(countOlderKeys(keys.data.items, { rotationDays, nowMs }), {
              remindDays,
              graceDays,
            })
          : []
      }
      counts={[keys]}
    />
  );
}

function DaysField(props: {
  form: UseFormReturn<Values>;
  name: keyof Values;
  label: string;
  hint: string;
}) {
  const { form, name, label, hint } = props;
  return (
    <Field label={label} hint={hint} error={form.formState.errors[name]?.message}>
      {(control) => (
        <Input
          {...control}
          inputMode="numeric"
          {...form.register(name, {
            validate: (text) =>
              /^\s*\d+\s*$/.test(text) ||
              (name === "rotation_days" && text.trim() === "") ||
              "Enter whole days.",
          })}
        />
      )}
    </Field>
  );
}

/** Null: empty or not a number. */
function toDays(text: string): number | null {
  return /^\s*\d+\s*$/.test(text) ? Number(text) : null;
}
