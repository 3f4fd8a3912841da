import type { PersonalKeyMode } from "@bursar/contract/admin/workspaces.ts";
import { useState } from "react";
import type { UseFormReturn } from "react-hook-form";
import { listOwners } from "../../kit/api-keys/keys-per-member.ts";
import type { ApiKey } from "../../kit/api-keys/queries.ts";
import { Consequences } from "../../kit/consequences/consequences.tsx";
import { useChangeForm } from "../../kit/use-change-form.ts";
import type { Workspace } from "../../kit/workspaces/queries.ts";
import { useApi, useList } from "../../queries.ts";
import { useMay } from "../../session.ts";
import { Button } from "../../ui/button.tsx";
import { Field } from "../../ui/field.tsx";
import { toLines } from "../../ui/form.ts";
import { Choices, Input } from "../../ui/input.tsx";
import { LinesField } from "../../ui/lines-field.tsx";
import { Section } from "../../ui/page.tsx";
import { FormError } from "../../ui/states.tsx";
import { UnsavedGuard } from "../../ui/unsaved-guard.tsx";
import { describeRuleChange, isAboutKeys } from "./personal-key-effects.ts";
import { useUpdateWorkspace } from "./queries.ts";

interface Values {
  personal_keys: PersonalKeyMode;
  personal_key_models: string;
  personal_key_lifetime_days: string;
  personal_keys_per_member: string;
}

const modes = [
  ["off", "Only by role", "Developers and Workspace Admins create keys."],
  ["members", "Members of the workspace", "Each member creates keys of their own."],
  ["everyone", "Everyone in the company", "The first key makes a person a Workspace User."],
] as const;

/** Rules for keys that members create for themselves, with a form. */
export function PersonalKeyRules({ workspace }: { workspace: Workspace }) {
  const changeForm = useChangeForm(useUpdateWorkspace(), {
    values: {
      personal_keys: workspace.personal_keys,
      personal_key_models: (workspace.personal_key_models ?? []).join("\n"),
      personal_key_lifetime_days: toText(workspace.personal_key_lifetime_days),
      personal_keys_per_member: toText(workspace.personal_keys_per_member),
    },
    toInput: (values: Values, { dirtyFields }) => ({
      params: { workspace_id: workspace.id },
      body: {
        ...(dirtyFields.personal_keys && { personal_keys: values.personal_keys }),
        ...(dirtyFields.personal_key_models && {
          personal_key_models: toModels(values.personal_key_models),
        }),
        ...(dirtyFields.personal_key_lifetime_days && {
          personal_key_lifetime_days: toNumber(values.personal_key_lifetime_days),
        }),
        ...(dirtyFields.personal_keys_per_member && {
          personal_keys_per_member: toNumber(values.personal_keys_per_member),
        }),
      },
    }),
    toast: "Rules for personal keys saved",
  });
  const { form, submit, isBusy, error } = changeForm;
  const mode = form.watch("personal_keys");
  return (
    <Section
      title="Personal keys"
      lead="Members create API keys for themselves by these rules, which apply to new keys."
    >
      <form noValidate className="grid gap-5" onSubmit={submit}>
        <UnsavedGuard isDirty={form.formState.isDirty} />
        <Choices
          legend="Created by"
          name="personal_keys"
          value={mode}
          onChange={(value) => form.setValue("personal_keys", value, { shouldDirty: true })}
          choices={modes.map(([value, label, hint]) => ({ value, label, hint }))}
        />
        {mode !== "off" && <Bounds form={form} />}
        {form.formState.isDirty && <RuleConsequences workspace={workspace} values={form.watch()} />}
        <FormError error={error} />
        <Button
          kind="primary"
          type="submit"
          className="w-fit"
          isBusy={isBusy}
          disabled={!form.formState.isDirty}
        >
          Save rules
        </Button>
      </form>
    </Section>
  );
}

/** Living keys and members that the entered rules affect. */
function RuleConsequences({ workspace, values }: { workspace: Workspace; values: Values }) {
  const may = useMay();
  const [nowMs] = useState(() => Date.now());
  const before = {
    mode: workspace.personal_keys,
    lifetimeDays: workspace.personal_key_lifetime_days,
    keysPerMember: workspace.personal_keys_per_member,
    models: workspace.personal_key_models,
  };
  const after = {
    mode: values.personal_keys,
    lifetimeDays: toNumber(values.personal_key_lifetime_days),
    keysPerMember: toNumber(values.personal_keys_per_member),
    models: toModels(values.personal_key_models),
  };
  const keys = useList(
    "listApiKeys",
    { query: { workspace_id: workspace.id, owner_type: "member" } },
    { isEnabled: isAboutKeys(before, after) && may("api_keys:read", workspace.id) },
  );
  const newMode = after.mode === before.mode ? null : after.mode;
  const company = useApi("getOrganizationCounts", {}, { isEnabled: newMode === "everyone" });
  const members = useList(
    "listWorkspaceMembers",
    { params: { workspace_id: workspace.id } },
    { isEnabled: newMode === "members" },
  );
  const sentences = describeRuleChange({
    before,
    after,
    keys: keys.data && toPersonalKeys(keys.data.items),
    members:
      newMode === "everyone" ? (company.data?.members ?? undefined) : members.data?.items.length,
    nowMs,
  });
  return <Consequences sentences={sentences} counts={[keys, company, members]} />;
}

function toPersonalKeys(keys: readonly ApiKey[]) {
  return keys.flatMap((key) =>
    listOwners([key]).map((ownerId) => ({ ownerId, expiresAt: key.expires_at })),
  );
}

function Bounds({ form }: { form: UseFormReturn<Values> }) {
  const { errors } = form.formState;
  return (
    <>
      <div className="grid gap-4 sm:grid-cols-2">
        <Field
          label="Longest lifetime"
          hint="Days. Empty: that of the company."
          error={errors.personal_key_lifetime_days?.message}
        >
          {(control) => (
            <Input
              {...control}
              inputMode="numeric"
              {...form.register("personal_key_lifetime_days", { validate: isWholeOrEmpty })}
            />
          )}
        </Field>
        <Field
          label="Keys per person"
          hint="Working keys. Empty: any number."
          error={errors.personal_keys_per_member?.message}
        >
          {(control) => (
            <Input
              {...control}
              inputMode="numeric"
              {...form.register("personal_keys_per_member", { validate: isWholeOrEmpty })}
            />
          )}
        </Field>
      </div>
      <LinesField
        label="Models"
        hint="One per line. claude-haiku-* allows a family. Empty: all models."
        placeholder="claude-haiku-*"
        error={errors.personal_key_models?.message}
        {...form.register("personal_key_models")}
      />
    </>
  );
}

function isWholeOrEmpty(text: string): true | string {
  return /^\s*\d*\s*$/.test(text) || "Enter a whole number.";
}

const toText = (value: number | null) => (value === null ? "" : String(value));
const toNumber = (text: string) => (text.trim() === "" ? null : Number(text));

function toModels(text: string): string[] | null {
  const lines = toLines(text);
  return lines.length === 0 ? null : lines;
}
