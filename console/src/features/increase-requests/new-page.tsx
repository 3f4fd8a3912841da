import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { flushSync } from "react-dom";
import type { useForm } from "react-hook-form";
import { type CountedScope, findScopeId } from "../../kit/scopes/scope.ts";
import { type PersonOption, ScopePicker, toScope } from "../../kit/scopes/scope-picker.tsx";
import { PeriodField } from "../../kit/spend-limits/period-field.tsx";
import { useChangeForm } from "../../kit/use-change-form.ts";
import { useApi } from "../../queries.ts";
import { useMay } from "../../session.ts";
import { Button } from "../../ui/button.tsx";
import { Field } from "../../ui/field.tsx";
import { needed } from "../../ui/form.ts";
import { MoneyInput, TextArea } from "../../ui/input.tsx";
import { Page } from "../../ui/page.tsx";
import { FormError } from "../../ui/states.tsx";
import { UnsavedGuard } from "../../ui/unsaved-guard.tsx";
import { useCreateIncreaseRequest } from "./queries.ts";
import type { NewIncreaseRequestSearch } from "./search.ts";

interface NewIncreaseRequestValues {
  scopeType: CountedScope["type"];
  scopeId: string | null;
  period: "daily" | "weekly" | "monthly";
  amount_usd: string;
  reason: string;
}

/** Creates an increase request. The link in a refusal selects the limit. */
export function NewIncreaseRequestPage() {
  const search: NewIncreaseRequestSearch = useSearch({ strict: false });
  const navigate = useNavigate();
  const [isSent, setIsSent] = useState(false);
  const { form, submit, isBusy, error } = useChangeForm(useCreateIncreaseRequest(), {
    defaultValues: toValues(search),
    toInput: (values, { form: { setError } }) => {
      const scope = toScope(values);
      if (!scope) {
        setError("scopeId", { message: "Choose the scope of the limit." });
        return null;
      }
      const { period, amount_usd, reason } = values;
      return { body: { scope, period, amount_usd: amount_usd.replaceAll(",", "").trim(), reason } };
    },
    toast: "Request sent",
    onSaved: async ({ id }) => {
      // Update the unsaved-changes guard before the navigation.
      flushSync(() => setIsSent(true));
      await navigate({ to: "/increase-requests/$requestId", params: { requestId: id } });
    },
  });
  const { errors, isDirty } = form.formState;
  return (
    <Page
      title="Request increase"
      lead="The request is sent by e-mail to members who can set the limit. Their decision is sent to you."
    >
      <form onSubmit={submit} noValidate className="grid max-w-xl gap-5">
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
        <Field
          label="Reason"
          hint="The purpose, and how long the limit is needed."
          error={errors.reason?.message}
        >
          {(control) => (
            <TextArea
              {...control}
              maxLength={1000}
              {...form.register("reason", needed("Enter a reason."))}
            />
          )}
        </Field>
        <FormError error={error} />
        <div>
          <Button kind="primary" type="submit" isBusy={isBusy}>
            Send request
          </Button>
        </div>
      </form>
    </Page>
  );
}

function LimitFields({ form }: { form: ReturnType<typeof useForm<NewIncreaseRequestValues>> }) {
  const may = useMay();
  const { scopeType, scopeId } = form.watch();
  const people = usePeople();
  const ofPeople = peopleTypes.filter(
    ([type]) => type === scopeType || people.some((each) => each.type === type),
  );
  return (
    <div className="grid gap-5 sm:grid-cols-2">
      <ScopePicker
        label="Scope"
        types={[
          ["organization", "The whole company"],
          ["workspace", "A workspace"],
          ["api_key", may("api_keys:read") ? "One key" : "One of your keys"],
          ...ofPeople,
        ]}
        people={people}
        scopeType={scopeType}
        scopeId={scopeId}
        error={form.formState.errors.scopeId?.message}
        onType={(type) => {
          form.setValue("scopeType", type);
          form.setValue("scopeId", null);
        }}
        onId={(id) => {
          form.setValue("scopeId", id, { shouldDirty: true });
          form.clearErrors("scopeId");
        }}
      />
      <PeriodField registration={form.register("period")} />
    </div>
  );
}

const peopleTypes = [
  ["member", "You, over all your keys"],
  ["group", "One of your groups"],
  ["tag", "A tag"],
] as const;

/** The person, and the groups and tags whose limits the person sees. */
function usePeople(): PersonOption[] {
  const limits = useApi("listMyLimits", {});
  const options = (limits.data?.data ?? []).flatMap(({ scope, scope_name }) => {
    const id = findScopeId(scope);
    const isOffered = peopleTypes.some(([type]) => type === scope.type);
    return isOffered && id !== null ? [{ type: scope.type, id, label: scope_name }] : [];
  });
  return [...new Map(options.map((option) => [option.id, option])).values()];
}

function toValues({
  scope = "workspace",
  id,
  period = "monthly",
}: NewIncreaseRequestSearch): NewIncreaseRequestValues {
  const scopeId = scope === "organization" ? null : (id ?? null);
  return { scopeType: scope, scopeId, period, amount_usd: "", reason: "" };
}
