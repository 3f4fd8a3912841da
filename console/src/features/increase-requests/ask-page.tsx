import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { flushSync } from "react-dom";
import { useForm } from "react-hook-form";
import { useMay } from "../../session.ts";
import { Button } from "../../ui/button.tsx";
import { Combobox } from "../../ui/combobox.tsx";
import { Field } from "../../ui/field.tsx";
import { needed, showServerErrors } from "../../ui/form.ts";
import { MoneyInput, Select, TextArea } from "../../ui/input.tsx";
import { Page } from "../../ui/page.tsx";
import { FormError } from "../../ui/states.tsx";
import { showToast } from "../../ui/toast.ts";
import { UnsavedGuard } from "../../ui/unsaved-guard.tsx";
import { useApiKeys } from "../api-keys/queries.ts";
import { useWorkspaces } from "../workspaces/queries.ts";
import { type RequestScope, useCreateIncreaseRequest } from "./queries.ts";
import type { AskSearch } from "./search.ts";

interface AskValues {
  scopeType: RequestScope["type"];
  scopeId: string | null;
  period: "daily" | "weekly" | "monthly";
  amount_usd: string;
  reason: string;
}

/** Asks for a higher limit. A refusal leads here with the limit that refused already chosen. */
export function AskForMorePage() {
  const search: AskSearch = useSearch({ strict: false });
  const navigate = useNavigate();
  const create = useCreateIncreaseRequest();
  const [error, setError] = useState<Error | null>(null);
  const form = useForm<AskValues>({ defaultValues: toValues(search) });
  const [isSent, setIsSent] = useState(false);
  const { errors, isDirty } = form.formState;
  const submit = form.handleSubmit(async (values) => {
    setError(null);
    const scope = toScope(values);
    if (!scope) {
      form.setError("scopeId", { message: "Choose whose limit it is." });
      return;
    }
    try {
      const { id } = await create.mutateAsync({
        body: {
          scope,
          period: values.period,
          amount_usd: values.amount_usd.replaceAll(",", "").trim(),
          reason: values.reason,
        },
      });
      // The guard must know before the page is left.
      flushSync(() => setIsSent(true));
      showToast("Request sent");
      await navigate({ to: "/limits/requests/$requestId", params: { requestId: id } });
    } catch (failure) {
      setError(showServerErrors(form, failure as Error));
    }
  });
  return (
    <Page
      title="Ask for more"
      lead="Those who may set the limit hear of it by mail, and you hear what they decide."
    >
      <form onSubmit={(event) => void submit(event)} noValidate className="grid max-w-xl gap-5">
        <UnsavedGuard isDirty={isDirty && !isSent} />
        <LimitFields form={form} />
        <Field label="New limit" error={errors.amount_usd?.message}>
          {(control) => (
            <MoneyInput
              {...control}
              placeholder="250.00"
              {...form.register("amount_usd", {
                validate: (text) =>
                  /^[\d,]+(\.\d+)?$/.test(text.trim()) ||
                  "Enter an amount of dollars, such as 250.00.",
              })}
            />
          )}
        </Field>
        <Field label="Reason" hint="What it is for, and until when." error={errors.reason?.message}>
          {(control) => (
            <TextArea
              {...control}
              maxLength={1000}
              {...form.register("reason", needed("Say what it is for."))}
            />
          )}
        </Field>
        <FormError error={error} />
        <div>
          <Button kind="primary" type="submit" isBusy={create.isPending}>
            Send request
          </Button>
        </div>
      </form>
    </Page>
  );
}

function LimitFields({ form }: { form: ReturnType<typeof useForm<AskValues>> }) {
  const may = useMay();
  const workspaces = useWorkspaces();
  const keys = useApiKeys();
  const { scopeType, scopeId } = form.watch();
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
      <Field label="Limit of">
        {(control) => (
          <Select
            {...control}
            value={scopeType}
            onChange={({ target }) => {
              form.setValue("scopeType", target.value as AskValues["scopeType"]);
              form.setValue("scopeId", null);
            }}
          >
            <option value="organization">The whole company</option>
            <option value="workspace">A workspace</option>
            {may("api_keys:read") && <option value="api_key">One key</option>}
          </Select>
        )}
      </Field>
      {scopeType !== "organization" && (
        <Field
          label={scopeType === "workspace" ? "Workspace" : "Key"}
          error={form.formState.errors.scopeId?.message}
        >
          {(control) => (
            <Combobox
              control={control}
              options={options}
              value={scopeId}
              onChange={(value) => {
                form.setValue("scopeId", value, { shouldDirty: true });
                form.clearErrors("scopeId");
              }}
              placeholder="Type to find"
            />
          )}
        </Field>
      )}
      <Field label="Period">
        {(control) => (
          <Select {...control} {...form.register("period")}>
            <option value="monthly">Each month</option>
            <option value="weekly">Each week</option>
            <option value="daily">Each day</option>
          </Select>
        )}
      </Field>
    </div>
  );
}

function toValues({ scope = "workspace", id, period = "monthly" }: AskSearch): AskValues {
  const scopeId = scope === "organization" ? null : (id ?? null);
  return { scopeType: scope, scopeId, period, amount_usd: "", reason: "" };
}

function toScope({ scopeType, scopeId }: AskValues): RequestScope | null {
  if (scopeType === "organization") return { type: "organization" };
  if (scopeId === null) return null;
  return scopeType === "workspace"
    ? { type: "workspace", workspace_id: scopeId }
    : { type: "api_key", api_key_id: scopeId };
}
