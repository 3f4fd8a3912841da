import {
  type OrganizationRole,
  organizationRoles,
  roleNames,
} from "@bursar/contract/permissions.ts";
import type { UseFormReturn } from "react-hook-form";
import { useChangeForm } from "../../kit/use-change-form.ts";
import { Dialog } from "../../ui/dialog.tsx";
import { DialogForm } from "../../ui/dialog-form.tsx";
import { Field } from "../../ui/field.tsx";
import { needed } from "../../ui/form.ts";
import { Checkbox, Choices, Input, TextArea } from "../../ui/input.tsx";
import { type Channel, type ChannelKind, useCreateChannel, useUpdateChannel } from "./queries.ts";
import { ChangedTarget } from "./stop-consequences.tsx";
import { channelWords } from "./words.ts";

interface ChannelDialogProps {
  /** Channel to change. Null: a new channel. */
  channel: Channel | null;
  onClose: () => void;
  /** Receives the signing secret of a new webhook, to show it once. Do not store it. */
  onSecret: (secret: string) => void;
}

interface ChannelValues {
  name: string;
  kind: ChannelKind;
  roles: OrganizationRole[];
  /** Separated by commas, spaces or lines. */
  addresses: string;
  url: string;
  routingKey: string;
}

export function ChannelDialog({ channel, onClose, onSecret }: ChannelDialogProps) {
  return (
    <Dialog
      title={channel ? "Change channel" : "Create channel"}
      description={channel ? channelWords[channel.kind].label : undefined}
      isOpen
      onClose={onClose}
    >
      <ChannelForm channel={channel} onClose={onClose} onSecret={onSecret} />
    </Dialog>
  );
}

function ChannelForm({ channel, onClose, onSecret }: ChannelDialogProps) {
  const create = useCreateChannel();
  const update = useUpdateChannel();
  const changeForm = useChangeForm(channel ? update : create, {
    defaultValues: toValues(channel),
    toInput: (values) => {
      const target = toTarget(values);
      if (channel) {
        return {
          params: { alert_channel_id: channel.id },
          // The console does not know a secret target. Empty fields keep it.
          body: { name: values.name, if_version: channel.version, ...(target && { target }) },
        };
      }
      return target && { body: { name: values.name, target } };
    },
    toast: (_, { name }) => (channel ? "Channel changed" : `Channel “${name.trim()}” created`),
    onSaved: (made) => {
      onClose();
      if ("signing_secret" in made && made.signing_secret) onSecret(made.signing_secret);
    },
    fieldNames: serverNames,
  });
  const { form } = changeForm;
  const { errors } = form.formState;
  const kind = form.watch("kind");
  return (
    <DialogForm form={changeForm} action={channel ? "Change channel" : "Create channel"}>
      {!channel && (
        <Choices
          legend="Kind"
          name="kind"
          value={kind}
          onChange={(value) => form.setValue("kind", value)}
          choices={(Object.keys(channelWords) as ChannelKind[]).map((value) => ({
            value,
            ...channelWords[value],
          }))}
        />
      )}
      <Field label="Name" error={errors.name?.message}>
        {(control) => (
          <Input
            {...control}
            {...form.register("name", needed("Enter a name."))}
            placeholder="Platform team"
            maxLength={100}
          />
        )}
      </Field>
      <TargetFields form={form} kind={kind} channel={channel} />
      {channel && <EnteredTarget form={form} channel={channel} />}
    </DialogForm>
  );
}

function EnteredTarget({
  form,
  channel,
}: {
  form: UseFormReturn<ChannelValues>;
  channel: Channel;
}) {
  const target = toTarget(form.watch());
  const recipients = target?.kind === "email" ? target.recipients : null;
  return (
    <ChangedTarget
      channel={channel}
      hasNewTarget={target !== null && recipients === null}
      recipients={recipients}
    />
  );
}

const serverNames = {
  "target.url": "url",
  "target.routing_key": "routingKey",
  "target.recipients.addresses": "addresses",
  "target.recipients": "addresses",
} as const;

interface TargetProps {
  form: UseFormReturn<ChannelValues>;
  kind: ChannelKind;
  channel: Channel | null;
}

function TargetFields({ form, kind, channel }: TargetProps) {
  const { errors } = form.formState;
  const kept = channel?.target_hint
    ? `Stored: ${channel.target_hint}. Leave empty to keep this value.`
    : "";
  const requireNew = (message: string) => (channel ? {} : needed(message));
  switch (kind) {
    case "email":
      return <RecipientFields form={form} />;
    case "slack":
    case "webhook":
      return (
        <Field
          label="Address"
          isOptional={channel !== null}
          hint={
            kept ||
            (kind === "slack"
              ? "Incoming webhook URL from Slack. Stored encrypted, and never shown again."
              : "Receives a signed POST. Private network addresses must be allowed in the server’s configuration.")
          }
          error={errors.url?.message}
        >
          {(control) => (
            <Input
              {...control}
              type="url"
              spellCheck={false}
              placeholder={
                kind === "slack"
                  ? "https://hooks.slack.com/services/…"
                  : "https://example.com/alerts"
              }
              {...form.register("url", requireNew("Enter an address."))}
            />
          )}
        </Field>
      );
    case "pagerduty":
      return (
        <Field
          label="Integration key"
          isOptional={channel !== null}
          hint={
            kept || "Key of an Events API v2 integration. Stored encrypted, and never shown again."
          }
          error={errors.routingKey?.message}
        >
          {(control) => (
            <Input
              {...control}
              type="password"
              autoComplete="off"
              {...form.register("routingKey", requireNew("Enter an integration key."))}
            />
          )}
        </Field>
      );
  }
}

function RecipientFields({ form }: { form: UseFormReturn<ChannelValues> }) {
  const roles = form.watch("roles");
  return (
    <>
      <fieldset className="grid gap-2.5">
        <legend className="mb-1 text-sm font-medium">Roles</legend>
        <div className="grid gap-2.5 sm:grid-cols-2">
          {organizationRoles.map((role) => (
            <Checkbox
              key={role}
              label={roleNames[role]}
              checked={roles.includes(role)}
              onChange={({ target }) =>
                form.setValue(
                  "roles",
                  target.checked ? [...roles, role] : roles.filter((each) => each !== role),
                )
              }
            />
          ))}
        </div>
      </fieldset>
      <Field
        label="Addresses"
        isOptional={roles.length > 0}
        hint="Separated by commas or lines."
        error={form.formState.errors.addresses?.message}
      >
        {(control) => (
          <TextArea
            {...control}
            rows={2}
            placeholder="finance@example.com"
            {...form.register("addresses", {
              validate: (text, all) =>
                all.kind !== "email" ||
                all.roles.length > 0 ||
                text.trim() !== "" ||
                "Choose a role, or enter an address.",
            })}
          />
        )}
      </Field>
    </>
  );
}

function toValues(channel: Channel | null): ChannelValues {
  return {
    name: channel?.name ?? "",
    kind: channel?.kind ?? "email",
    roles: channel ? (channel.recipients?.roles ?? []) : ["owner", "admin"],
    addresses: channel?.recipients?.addresses.join(", ") ?? "",
    url: "",
    routingKey: "",
  };
}

function toTarget({ kind, roles, addresses, url, routingKey }: ChannelValues) {
  switch (kind) {
    case "email": {
      const list = addresses.split(/[\s,;]+/).filter((address) => address !== "");
      return { kind, recipients: { roles, addresses: list } };
    }
    case "slack":
    case "webhook":
      return url.trim() === "" ? null : { kind, url: url.trim() };
    case "pagerduty":
      return routingKey.trim() === "" ? null : { kind, routing_key: routingKey.trim() };
  }
}
