import { Plus, X } from "lucide-react";
import { type UseFormReturn, useFieldArray } from "react-hook-form";
import { Button, IconButton } from "../../ui/button.tsx";
import { Field } from "../../ui/field.tsx";
import { needed } from "../../ui/form.ts";
import { Checkbox, Input } from "../../ui/input.tsx";
import type { Upstream } from "./queries.ts";
import type { UpstreamValues } from "./upstream-values.ts";

interface FieldsProps {
  form: UseFormReturn<UpstreamValues>;
  /** The stored upstream. Null: a new one. */
  upstream: Upstream | null;
}

/** Fields of an upstream. Secrets are never shown again. */
export function UpstreamFields({ form, upstream }: FieldsProps) {
  const { errors } = form.formState;
  return (
    <>
      <Field label="Name" error={errors.name?.message}>
        {(control) => (
          <Input {...control} {...form.register("name", needed("Enter a name."))} maxLength={100} />
        )}
      </Field>
      <Field
        label="Address"
        hint="An https address, or http on this machine. Bursar adds paths such as /v1/messages."
        error={errors.base_url?.message}
      >
        {(control) => (
          <Input
            {...control}
            type="url"
            spellCheck={false}
            {...form.register("base_url", needed("Enter an address."))}
          />
        )}
      </Field>
      <KeyField form={form} upstream={upstream} />
      <ConnectionFields form={form} upstream={upstream} />
    </>
  );
}

function KeyField({ form, upstream }: FieldsProps) {
  const isMoved = isMovedFrom(form, upstream);
  return (
    <Field
      label="Claude API key"
      isOptional={upstream?.has_credential === true && !isMoved}
      hint={
        isMoved
          ? "A new address deletes the stored key. Enter the key for the new address."
          : upstream?.credential_hint
            ? `Stored: ${upstream.credential_hint}. Leave empty to keep this key.`
            : "Stored encrypted, sent only to this address, and never shown again."
      }
      error={form.formState.errors.credential?.message}
    >
      {(control) => (
        <Input
          {...control}
          type="password"
          autoComplete="off"
          placeholder="sk-ant-…"
          {...form.register("credential")}
        />
      )}
    </Field>
  );
}

/** Proxy, headers and workspace id, which most upstreams do not need. */
function ConnectionFields({ form, upstream }: FieldsProps) {
  const { errors } = form.formState;
  const hasValues =
    upstream !== null &&
    (upstream.proxy_url !== null ||
      upstream.upstream_workspace_id !== null ||
      upstream.extra_header_names.length > 0);
  const hasError = Boolean(errors.proxy_url ?? errors.headers ?? errors.upstream_workspace_id);
  return (
    <details open={hasValues || hasError || undefined}>
      <summary className="target w-fit rounded-sm text-sm font-medium text-accent">
        Proxy, headers and workspace id
      </summary>
      <div className="mt-4 grid gap-5">
        <Field
          label="Proxy"
          isOptional
          hint={
            upstream?.has_proxy_credential
              ? "User and password are stored. A new address needs them again."
              : "An http or https address of a proxy that opens tunnels. Empty: the proxy of the server’s environment."
          }
          error={errors.proxy_url?.message}
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
        <Field
          label="Workspace id at Anthropic"
          isOptional
          hint="For a key of several workspaces. Sent as anthropic-workspace-id."
          error={errors.upstream_workspace_id?.message}
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
      {fields.map((field, index) => (
        <div key={field.id} className="grid grid-cols-[1fr_1fr_auto] items-center gap-2.5">
          <Input
            {...form.register(`headers.${index}.name`)}
            aria-label={`Name of header ${index + 1}`}
            placeholder="x-team"
            spellCheck={false}
          />
          <Input
            {...form.register(`headers.${index}.value`)}
            aria-label={`Value of header ${index + 1}`}
            type="password"
            autoComplete="off"
          />
          <IconButton label={`Remove header ${index + 1}`} onClick={() => remove(index)}>
            <X size={16} />
          </IconButton>
        </div>
      ))}
      {error !== undefined && <p className="text-sm font-medium text-bad">{error}</p>}
      <div>
        <Button onClick={() => append({ name: "", value: "" })}>
          <Plus size={16} /> Add header
        </Button>
      </div>
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
