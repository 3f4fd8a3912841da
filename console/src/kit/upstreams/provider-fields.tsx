import type { UseFormReturn } from "react-hook-form";
import { Field } from "../../ui/field.tsx";
import { needed } from "../../ui/form.ts";
import { Checkbox, Input, Select } from "../../ui/input.tsx";
import { LinesField } from "../../ui/lines-field.tsx";
import { findNameFault } from "./provider-values.ts";
import {
  apiWords,
  authentications,
  authenticationWords,
  type Platform,
  profileWords,
} from "./provider-words.ts";
import type { UpstreamValues } from "./upstream-values.ts";

interface PlatformProps {
  form: UseFormReturn<UpstreamValues>;
  platform: Platform;
}

/** Settings of a cloud platform, without secrets. */
export function PlatformFields({ form, platform }: PlatformProps) {
  return (
    <>
      {platform === "foundry" ? (
        <TextField
          form={form}
          name="resource"
          label="Resource"
          hint="Name of the Foundry resource."
          placeholder="northwind-ai"
        />
      ) : (
        <TextField
          form={form}
          name="region"
          label="Region"
          hint={platform === "vertex" ? "A region, or global, us or eu." : "AWS region."}
          placeholder={platform === "vertex" ? "global" : "us-east-1"}
        />
      )}
      {platform === "vertex" && (
        <TextField
          form={form}
          name="project_id"
          label="Project"
          hint="Id of the Google Cloud project."
          placeholder="claude-prod"
        />
      )}
      <Field
        label="Authentication"
        hint={
          form.watch("authentication") === "machine"
            ? "Needs BURSAR_ALLOW_MACHINE_CREDENTIALS=on at the server."
            : undefined
        }
        error={form.formState.errors.authentication?.message}
      >
        {(control) => (
          <Select {...control} {...form.register("authentication")}>
            {authentications[platform].map((kind) => (
              <option key={kind} value={kind}>
                {authenticationWords[kind]}
              </option>
            ))}
          </Select>
        )}
      </Field>
    </>
  );
}

/** Secrets of the chosen authentication, other than a single key. */
export function CredentialFields({ form, hint }: { form: PlatformProps["form"]; hint: string }) {
  const authentication = form.watch("authentication");
  const error = form.formState.errors.credential?.message;
  const secret = { form, isSecret: true, hint: undefined };
  if (authentication === "service_account") {
    return (
      <LinesField
        label="Service account"
        isOptional={false}
        hint={`JSON key of the service account. ${hint}`}
        error={error}
        rows={4}
        autoComplete="off"
        {...form.register("service_account")}
      />
    );
  }
  return (
    <fieldset className="grid gap-4">
      <legend className="mb-1 text-sm font-medium">
        {authentication === "access_key" ? "Access key" : "Client secret"}
      </legend>
      <p className="text-sm text-quiet">{hint}</p>
      {authentication === "access_key" ? (
        <>
          <TextField form={form} name="access_key_id" label="Access key id" placeholder="AKIA…" />
          <TextField {...secret} name="secret_access_key" label="Secret access key" />
          <TextField {...secret} name="session_token" label="Session token" isOptional />
        </>
      ) : (
        <>
          <TextField form={form} name="tenant_id" label="Tenant id" />
          <TextField form={form} name="client_id" label="Client id" />
          <TextField {...secret} name="client_secret" label="Client secret" />
        </>
      )}
      {error !== undefined && <p className="text-sm font-medium text-bad">{error}</p>}
    </fieldset>
  );
}

/** Settings that most upstreams of a platform do not need. */
export function RarePlatformFields({ form, platform }: PlatformProps) {
  const { errors } = form.formState;
  return (
    <>
      {platform === "bedrock" && <BedrockFields form={form} />}
      {platform === "foundry" && (
        <Checkbox
          label="US data zone"
          hint="Deployments of the type US Data Zone Standard cost 10 % more."
          {...form.register("is_us_data_zone")}
        />
      )}
      <LinesField
        label="Model names"
        hint="One per line: official name = name of the platform. They have priority over known names."
        placeholder="claude-opus-5 = us.anthropic.claude-opus-5-v1:0"
        error={errors.model_names?.message}
        {...form.register("model_names", { validate: (text) => findNameFault(text) ?? true })}
      />
      <LinesField
        label="Betas"
        hint="Values of anthropic-beta for the platform, one per line, besides known ones."
        placeholder="context-1m-2025-08-07"
        error={errors.betas?.message}
        {...form.register("betas")}
      />
    </>
  );
}

function BedrockFields({ form }: { form: PlatformProps["form"] }) {
  const { errors } = form.formState;
  return (
    <div className="grid gap-4 sm:grid-cols-2">
      <Field label="API" error={errors.api?.message}>
        {(control) => (
          <Select {...control} {...form.register("api")}>
            {listOptions(apiWords)}
          </Select>
        )}
      </Field>
      <Field
        label="Inference profile"
        hint="Prefix of the model names."
        error={errors.inference_profile?.message}
      >
        {(control) => (
          <Select {...control} {...form.register("inference_profile")}>
            <option value="">That of the region</option>
            {listOptions(profileWords)}
          </Select>
        )}
      </Field>
    </div>
  );
}

function listOptions(words: Readonly<Record<string, string>>) {
  return Object.entries(words).map(([value, label]) => (
    <option key={value} value={value}>
      {label}
    </option>
  ));
}

interface TextProps {
  form: PlatformProps["form"];
  name:
    | "access_key_id"
    | "client_id"
    | "client_secret"
    | "project_id"
    | "region"
    | "resource"
    | "secret_access_key"
    | "session_token"
    | "tenant_id";
  label: string;
  hint?: string | undefined;
  placeholder?: string;
  isSecret?: boolean;
  isOptional?: boolean;
}

/** Settings are required. Parts of a stored credential are not, and the server checks a new one. */
function TextField({ form, name, label, hint, placeholder, isSecret, isOptional }: TextProps) {
  const isSetting = name === "region" || name === "project_id" || name === "resource";
  return (
    <Field
      label={label}
      hint={hint}
      isOptional={isOptional === true}
      error={form.formState.errors[name]?.message}
    >
      {(control) => (
        <Input
          {...control}
          type={isSecret ? "password" : "text"}
          autoComplete="off"
          spellCheck={false}
          placeholder={placeholder}
          {...form.register(name, isSetting ? needed(`Enter the ${label.toLowerCase()}.`) : {})}
        />
      )}
    </Field>
  );
}
