import type { UpstreamProvider } from "@bursar/contract/admin/upstreams.ts";
import { type UseFormReturn, useFieldArray } from "react-hook-form";
import { Field } from "../../ui/field.tsx";
import { needed } from "../../ui/form.ts";
import { Checkbox, Input, Select } from "../../ui/input.tsx";
import { HeaderRows } from "../header-rows.tsx";
import { CredentialFields, PlatformFields, RarePlatformFields } from "./provider-fields.tsx";
import { providerWords } from "./provider-words.ts";
import type { Upstream } from "./queries.ts";
import { toValues, type UpstreamValues } from "./upstream-values.ts";

interface FieldsProps {
  form: UseFormReturn<UpstreamValues>;
  /** The stored upstream. Null: a new one. */
  upstream: Upstream | null;
}

/** Fields of an upstream. Secrets are never shown again. */
export function UpstreamFields({ form, upstream }: FieldsProps) {
  const { errors } = form.formState;
  const provider = form.watch("provider");
  const isPlatform = provider !== "anthropic";
  return (
    <>
      {upstream === null && <ProviderField form={form} />}
      <Field label="Name" error={errors.name?.message}>
        {(control) => (
          <Input {...control} {...form.register("name", needed("Enter a name."))} maxLength={100} />
        )}
      </Field>
      {isPlatform && <PlatformFields form={form} platform={provider} />}
      <Field
        label="Address"
        isOptional={isPlatform}
        hint={
          isPlatform
            ? "Empty: the public address of the platform."
            : "An https address, or http on this machine. Bursar adds paths such as /v1/messages."
        }
        error={errors.base_url?.message}
      >
        {(control) => (
          <Input
            {...control}
            type="url"
            spellCheck={false}
            {...form.register("base_url", {
              validate: (text) => isPlatform || text.trim() !== "" || "Enter an address.",
            })}
          />
        )}
      </Field>
      <CredentialField form={form} upstream={upstream} />
      <RareFields form={form} upstream={upstream} />
    </>
  );
}

const providers = Object.entries(providerWords);

/** Choice of the provider. Another one starts with its own defaults. */
function ProviderField({ form }: { form: FieldsProps["form"] }) {
  const choose = (provider: UpstreamProvider) => {
    const { name, provider: earlier } = form.getValues();
    const fresh = toValues(null, provider);
    const isNamed = name !== toValues(null, earlier).name;
    form.reset({ ...fresh, ...(isNamed && { name }) }, { keepDefaultValues: true });
  };
  return (
    <Field label="Provider">
      {(control) => (
        <Select
          {...control}
          value={form.watch("provider")}
          onChange={({ target }) => choose(target.value as UpstreamProvider)}
        >
          {providers.map(([provider, label]) => (
            <option key={provider} value={provider}>
              {label}
            </option>
          ))}
        </Select>
      )}
    </Field>
  );
}

function CredentialField({ form, upstream }: FieldsProps) {
  const authentication = form.watch("authentication");
  const isMoved = isMovedFrom(form, upstream);
  const hasOther = upstream !== null && authentication !== toValues(upstream).authentication;
  const hint =
    isMoved || hasOther
      ? "The change deletes the stored key. Enter a new one."
      : upstream?.has_credential
        ? `Stored${upstream.credential_hint ? `: ${upstream.credential_hint}` : ""}. Leave empty to keep this key.`
        : "Stored encrypted, sent only to this address, and never shown again.";
  if (authentication === "machine") return null;
  if (authentication !== "" && authentication !== "api_key") {
    return <CredentialFields form={form} hint={hint} />;
  }
  return (
    <Field
      label={authentication === "" ? "Claude API key" : "API key"}
      isOptional={upstream?.has_credential === true && !isMoved && !hasOther}
      hint={hint}
      error={form.formState.errors.credential?.message}
    >
      {(control) => (
        <Input
          {...control}
          type="password"
          autoComplete="off"
          placeholder={authentication === "" ? "sk-ant-…" : undefined}
          {...form.register("credential")}
        />
      )}
    </Field>
  );
}

/** Settings that most upstreams do not need. */
function RareFields({ form, upstream }: FieldsProps) {
  const { errors } = form.formState;
  const provider = form.watch("provider");
  const hasValues =
    upstream !== null &&
    (upstream.proxy_url !== null ||
      upstream.upstream_workspace_id !== null ||
      upstream.extra_header_names.length > 0);
  const { proxy_url, headers, upstream_workspace_id, model_names, betas } = errors;
  const hasError = [proxy_url, headers, upstream_workspace_id, model_names, betas].some(Boolean);
  return (
    <details open={hasValues || hasError || undefined}>
      <summary className="target w-fit rounded-sm text-sm font-medium text-accent">
        {provider === "anthropic"
          ? "Proxy, headers and workspace id"
          : "Model names, betas, proxy and headers"}
      </summary>
      <div className="mt-4 grid gap-5">
        {provider !== "anthropic" && <RarePlatformFields form={form} platform={provider} />}
        <Field
          label="Proxy"
          isOptional
          hint={
            upstream?.has_proxy_credential
              ? "User and password are stored. A new address needs them again."
              : "An http or https address of a proxy that opens tunnels. Empty: the proxy of the server’s environment."
          }
          error={proxy_url?.message}
        >
          {(control) => (
            <Input
              {...control}
              type="url"
              spellCheck={false}
              placeholder="http://user:password@proxy.example.com:3128"
              {...form.register("proxy_url")}
            />
          )}
        </Field>
        <Headers form={form} upstream={upstream} />
        {provider === "anthropic" && (
          <Field
            label="Workspace id at Anthropic"
            isOptional
            hint="For a key of several workspaces. Sent as anthropic-workspace-id."
            error={upstream_workspace_id?.message}
          >
            {(control) => (
              <Input
                {...control}
                spellCheck={false}
                placeholder="wrkspc_…"
                {...form.register("upstream_workspace_id")}
              />
            )}
          </Field>
        )}
      </div>
    </details>
  );
}

function Headers({ form, upstream }: FieldsProps) {
  const { fields, append, remove } = useFieldArray({ control: form.control, name: "headers" });
  const error = form.formState.errors.headers?.message;
  const stored = upstream?.extra_header_names ?? [];
  const isMoved = isMovedFrom(form, upstream);
  return (
    <fieldset className="grid gap-2.5">
      <legend className="mb-1 text-sm font-medium">
        Extra headers<span className="ml-1.5 font-normal text-faint">optional</span>
      </legend>
      <p className="text-sm text-quiet">{describeHeaders(stored, isMoved)}</p>
      {stored.length > 0 && !isMoved && fields.length === 0 && (
        <Checkbox label="Delete the stored headers" {...form.register("isWithoutHeaders")} />
      )}
      <HeaderRows
        rows={fields}
        registerName={(index) => form.register(`headers.${index}.name`)}
        registerValue={(index) => form.register(`headers.${index}.value`)}
        onAdd={() => append({ name: "", value: "" })}
        onRemove={remove}
        placeholder="x-team"
        error={error}
      />
    </fieldset>
  );
}

function describeHeaders(stored: readonly string[], isMoved: boolean): string {
  if (stored.length === 0) {
    return "Sent with each request instead of the client’s. Stored encrypted, and never shown again.";
  }
  const names = `Stored: ${stored.join(", ")}.`;
  return isMoved
    ? `${names} A new address deletes them.`
    : `${names} New headers replace all of them.`;
}

/** True if the entered address is not the stored one. */
function isMovedFrom(form: FieldsProps["form"], upstream: Upstream | null): boolean {
  return upstream !== null && form.watch("base_url").trim() !== upstream.base_url;
}
