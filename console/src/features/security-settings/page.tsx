import { Link } from "@tanstack/react-router";
import type { Answer } from "../../api-client.ts";
import { LoadError } from "../../kit/error-pages.tsx";
import { useChangeForm } from "../../kit/use-change-form.ts";
import { useMay } from "../../session.ts";
import { Button } from "../../ui/button.tsx";
import { Field } from "../../ui/field.tsx";
import { formatPlural } from "../../ui/format.ts";
import { Input } from "../../ui/input.tsx";
import { Page, Section } from "../../ui/page.tsx";
import { FormError } from "../../ui/states.tsx";
import { UnsavedGuard } from "../../ui/unsaved-guard.tsx";
import { KeyHygiene } from "./key-hygiene.tsx";
import { useKeyHygiene, useSecuritySettings, useUpdateSecuritySettings } from "./queries.ts";

type Settings = Answer<"getSecuritySettings">;

/** Rules for every key of the company. */
export function SecuritySettingsPage() {
  const settings = useSecuritySettings();
  // Wait for the section above too, so that it does not push this one down.
  const isLoading = useKeyHygiene().isPending;
  if (settings.error) {
    return <LoadError error={settings.error} onRetry={() => void settings.refetch()} />;
  }
  return (
    <Page title="Security settings" lead="Rules for all members and programs of the company.">
      <KeyHygiene />
      {settings.data && !isLoading && (
        <>
          <KeyLifetime settings={settings.data} />
          <KeysPerMember settings={settings.data} />
        </>
      )}
    </Page>
  );
}

function KeyLifetime({ settings }: { settings: Settings }) {
  return (
    <Section
      title="Maximum key lifetime"
      lead="Applies to API keys and admin keys when they are created, rotated or changed. Existing keys keep their expiry."
    >
      <LifetimeForm days={settings.max_key_lifetime_days} />
      <ExceedingKeys settings={settings} />
    </Section>
  );
}

function KeysPerMember({ settings }: { settings: Settings }) {
  const { max_keys_per_member: keys } = settings;
  const { form, submit, isBusy, error } = useChangeForm(useUpdateSecuritySettings(), {
    values: { max_keys_per_member: keys === null ? "" : String(keys) },
    toInput: ({ max_keys_per_member: text }) => ({
      body: { max_keys_per_member: text.trim() === "" ? null : Number(text) },
    }),
    toast: (_, { max_keys_per_member: text }) =>
      text.trim() === ""
        ? "Personal keys are unlimited"
        : `Personal keys of each member: ${text.trim()} at most`,
  });
  const mayChange = useMay()("security:write");
  return (
    <Section
      title="Keys per member"
      lead="Applies to new personal keys. Revoked and expired keys do not count."
    >
      <form noValidate className="grid max-w-md gap-4" onSubmit={submit}>
        <UnsavedGuard isDirty={form.formState.isDirty} />
        <Field
          label="Keys"
          hint={
            mayChange ? "1 to 10000. Empty: no limit." : "Owners and Admins can change this number."
          }
          error={form.formState.errors.max_keys_per_member?.message}
        >
          {(control) => (
            <Input
              {...control}
              inputMode="numeric"
              readOnly={!mayChange}
              placeholder="No limit"
              className="max-w-40"
              {...form.register("max_keys_per_member", {
                pattern: { value: /^\s*\d*\s*$/, message: "Enter a whole number." },
              })}
            />
          )}
        </Field>
        <FormError error={error} />
        {mayChange && (
          <Button
            kind="primary"
            type="submit"
            className="w-fit"
            isBusy={isBusy}
            disabled={!form.formState.isDirty}
          >
            Save keys per member
          </Button>
        )}
      </form>
    </Section>
  );
}

function LifetimeForm({ days }: { days: number | null }) {
  const { form, submit, isBusy, error } = useChangeForm(useUpdateSecuritySettings(), {
    values: { max_key_lifetime_days: days === null ? "" : String(days) },
    toInput: ({ max_key_lifetime_days: text }) => ({
      body: { max_key_lifetime_days: text.trim() === "" ? null : Number(text) },
    }),
    toast: (_, { max_key_lifetime_days: text }) =>
      text.trim() === ""
        ? "Key lifetime is unlimited"
        : `Maximum lifetime of new keys: ${formatPlural(Number(text), "day")}`,
  });
  const mayChange = useMay()("security:write");
  return (
    <form noValidate className="grid max-w-md gap-4" onSubmit={submit}>
      <UnsavedGuard isDirty={form.formState.isDirty} />
      <Field
        label="Days"
        hint={
          mayChange ? "1 to 3650. Empty: no limit." : "Owners and Admins can change the lifetime."
        }
        error={form.formState.errors.max_key_lifetime_days?.message}
      >
        {(control) => (
          <Input
            {...control}
            inputMode="numeric"
            readOnly={!mayChange}
            placeholder="No limit"
            className="max-w-40"
            {...form.register("max_key_lifetime_days", {
              pattern: { value: /^\s*\d*\s*$/, message: "Enter whole days." },
            })}
          />
        )}
      </Field>
      <FormError error={error} />
      {mayChange && (
        <Button
          kind="primary"
          type="submit"
          className="w-fit"
          isBusy={isBusy}
          disabled={!form.formState.isDirty}
        >
          Save maximum lifetime
        </Button>
      )}
    </form>
  );
}

function ExceedingKeys({ settings }: { settings: Settings }) {
  const may = useMay();
  const { api_keys, admin_keys } = settings.keys_beyond_max_lifetime;
  if (settings.max_key_lifetime_days === null) return null;
  if (api_keys + admin_keys === 0) {
    return <p className="text-sm text-good">All working keys comply.</p>;
  }
  const apiKeys = formatPlural(api_keys, "API key");
  const adminKeys = formatPlural(admin_keys, "admin key");
  return (
    <p role="status" className="rounded-md bg-warn-wash px-4 py-3 text-sm text-warn">
      {may("api_keys:read") && api_keys > 0 ? (
        <Link to="/api-keys" search={{ show: "beyond" }} className="font-semibold underline">
          {apiKeys}
        </Link>
      ) : (
        apiKeys
      )}{" "}
      and{" "}
      {may("admin_keys:read") && admin_keys > 0 ? (
        <Link to="/admin-keys" className="font-semibold underline">
          {adminKeys}
        </Link>
      ) : (
        adminKeys
      )}{" "}
      exceed the maximum lifetime. Rotate these keys, or set an earlier expiry.
    </p>
  );
}
