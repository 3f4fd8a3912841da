import type { UseFormReturn } from "react-hook-form";
import { call } from "../../api-client.ts";
import { ScopePicker, toScope } from "../../kit/scopes/scope-picker.tsx";
import { useChangeForm } from "../../kit/use-change-form.ts";
import { useMay, useMayEverywhere, useSession } from "../../session.ts";
import { ConflictNotice } from "../../ui/conflict-notice.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { DialogForm } from "../../ui/dialog-form.tsx";
import { Field } from "../../ui/field.tsx";
import { needed } from "../../ui/form.ts";
import { Checkbox, Input, MoneyInput, Select } from "../../ui/input.tsx";
import { AlertPreview } from "./alert-preview.tsx";
import {
  type AlertValues,
  hasChildren,
  hasValidCondition,
  parseList,
  toCondition,
  toValues,
} from "./alert-values.ts";
import {
  type Alert,
  type PreviewBody,
  useChannels,
  useCreateAlert,
  useUpdateAlert,
} from "./queries.ts";
import { alertKinds, channelWords, describeCondition, kindWords } from "./words.ts";

type Form = UseFormReturn<AlertValues>;

interface AlertDialogProps {
  /** Alert to change. Null: a new alert. */
  alert: Alert | null;
  onClose: () => void;
}

export function AlertDialog({ alert, onClose }: AlertDialogProps) {
  return (
    <Dialog
      title={alert ? "Change alert" : "Create alert"}
      description={
        alert
          ? `${kindWords[alert.condition.kind].label}, ${alert.scope_name}`
          : "The alert fires once for each scope, period and threshold."
      }
      isOpen
      isDouble
      onClose={onClose}
    >
      <AlertForm alert={alert} onClose={onClose} />
    </Dialog>
  );
}

function AlertForm({ alert, onClose }: AlertDialogProps) {
  const session = useSession();
  const create = useCreateAlert();
  const update = useUpdateAlert();
  const isOrganizationWide = useMayEverywhere()("alerts:write");
  const firstWorkspaceId = isOrganizationWide
    ? null
    : (session.workspaces.find(({ permissions }) => permissions.includes("alerts:write"))?.id ??
      null);
  const changeForm = useChangeForm(alert ? update : create, {
    defaultValues: toValues(alert, firstWorkspaceId),
    seen: alert,
    toInput: (given, { form: { setError }, seen: over }) => {
      const scope = toScope(given);
      if (!scope) {
        setError("scopeId", { message: "Choose the scope of the alert." });
        return null;
      }
      const body = {
        name: given.name,
        includes_below: given.includesBelow && hasChildren(given.scopeType),
        condition: toCondition(given, alert?.condition ?? null),
        channel_ids: given.channelIds,
        notifies_owner: given.notifiesOwner,
        collect_minutes: Number(given.collectMinutes),
      };
      return over
        ? { params: { alert_id: over.id }, body: { ...body, if_version: over.version } }
        : { body: { ...body, scope } };
    },
    toast: (_, { name }) => (alert ? "Alert changed" : `Alert “${name.trim()}” created`),
    onSaved: onClose,
    fieldNames: {
      channel_ids: "channelIds",
      includes_below: "includesBelow",
      collect_minutes: "collectMinutes",
    },
    findConflict: async (_, over) =>
      over && {
        current: await call("getAlert", { params: { alert_id: over.id } }),
        change: null,
      },
    toValues: (current) => toValues(current, null),
  });
  const { form, seen, conflict } = changeForm;
  const { errors } = form.formState;
  const values = form.watch();
  const newer = conflict?.current;
  return (
    <DialogForm
      form={changeForm}
      action={seen ? "Change alert" : "Create alert"}
      actions={
        newer &&
        seen && (
          <ConflictNotice
            what="alert"
            by={null}
            happened="changed"
            fields={[
              ["Name", newer.name, values.name],
              [
                "Condition",
                describeCondition(newer.condition),
                describeCondition(toCondition(values, seen.condition)),
              ],
              ["Channels", String(newer.channels.length), String(values.channelIds.length)],
            ]}
            isBusy={changeForm.isBusy}
            onLoad={changeForm.loadCurrent}
            onReplace={changeForm.replaceCurrent}
          />
        )
      }
    >
      <div className="grid gap-5 lg:grid-cols-[minmax(0,1fr)_20rem] lg:items-start lg:gap-8">
        <div className="grid gap-5">
          <Field label="Name" error={errors.name?.message}>
            {(control) => (
              <Input
                {...control}
                {...form.register("name", needed("Enter a name."))}
                placeholder="Spend of Research"
                maxLength={100}
              />
            )}
          </Field>
          {!seen && (
            <>
              <Field label="Kind" hint={kindWords[values.kind].hint}>
                {(control) => (
                  <Select
                    {...control}
                    {...form.register("kind", { onChange: () => leaveScopeOfPeople(form) })}
                  >
                    {alertKinds.map((kind) => (
                      <option key={kind} value={kind}>
                        {kindWords[kind].label}
                      </option>
                    ))}
                  </Select>
                )}
              </Field>
              <ScopeFields form={form} isOrganizationWide={isOrganizationWide} />
            </>
          )}
          {hasChildren(values.scopeType) && (
            <Checkbox
              label="Include child scopes"
              hint={
                values.scopeType === "organization"
                  ? "Fires separately for each workspace, key, person, group and tag."
                  : "Fires separately for each key of the workspace."
              }
              {...form.register("includesBelow")}
            />
          )}
          <ConditionFields form={form} />
          <ChannelFields form={form} />
          <Checkbox
            label="Notify key owner"
            hint="Sends an e-mail when the alert is about a personal key."
            {...form.register("notifiesOwner")}
          />
          <CollectField form={form} />
        </div>
        <div className="lg:sticky lg:top-0">
          <AlertPreview body={toPreviewBody(values, seen)} />
        </div>
      </div>
    </DialogForm>
  );
}

/** Null: the fields are not valid yet. */
function toPreviewBody(values: AlertValues, seen: Alert | null): PreviewBody | null {
  const scope = toScope(values);
  if (!scope || !hasValidCondition(values)) return null;
  return {
    scope,
    includes_below: values.includesBelow && hasChildren(values.scopeType),
    condition: toCondition(values, seen?.condition ?? null),
    channel_ids: values.channelIds,
    notifies_owner: values.notifiesOwner,
    ...(seen && { alert_id: seen.id }),
  };
}

/** Kinds of alerts that members, groups and tags can have. */
const kindsOfPeople: readonly AlertValues["kind"][] = ["spend_limit", "limit_overrun", "forecast"];

const peopleTypes = [
  ["member", "One person"],
  ["group", "A group"],
  ["tag", "A tag"],
] as const;

/** Returns to the organization if the chosen kind cannot watch people. */
function leaveScopeOfPeople(form: Form): void {
  const { scopeType, kind } = form.getValues();
  const isOfPeople = peopleTypes.some(([type]) => type === scopeType);
  if (!isOfPeople || kindsOfPeople.includes(kind)) return;
  form.setValue("scopeType", "organization");
  form.setValue("scopeId", null);
}

function ScopeFields({ form, isOrganizationWide }: { form: Form; isOrganizationWide: boolean }) {
  const may = useMay();
  const { scopeType, scopeId, kind } = form.watch();
  const ofPeople = isOrganizationWide && kindsOfPeople.includes(kind) ? peopleTypes : [];
  return (
    <div className="grid gap-5 sm:grid-cols-2">
      <ScopePicker
        label="Scope"
        types={[
          ...(isOrganizationWide ? [["organization", "The whole company"] as const] : []),
          ["workspace", "A workspace"],
          ["api_key", "One key"],
          ...ofPeople,
        ]}
        scopeType={scopeType}
        scopeId={scopeId}
        mayChoose={(id) => may("alerts:write", id)}
        error={form.formState.errors.scopeId?.message}
        onType={(type) => {
          form.setValue("scopeType", type);
          form.setValue("scopeId", null);
        }}
        onId={(id) => {
          form.setValue("scopeId", id);
          form.clearErrors("scopeId");
        }}
      />
    </div>
  );
}

/** Fields of the selected kind. */
function ConditionFields({ form }: { form: Form }) {
  const kind = form.watch("kind");
  switch (kind) {
    case "spend_limit":
      return <ThresholdFields form={form} />;
    case "forecast":
      return (
        <NumberField
          form={form}
          name="percent"
          label="Percent of the limit"
          hint="Forecast for the end of the period."
        />
      );
    case "unusual_spend":
      return (
        <div className="grid gap-5 sm:grid-cols-2">
          <NumberField form={form} name="factor" label="Factor" />
          <Field label="Minimum cost" hint="Hours and days below this cost are ignored.">
            {(control) => <MoneyInput {...control} {...form.register("minUsd")} />}
          </Field>
        </div>
      );
    case "key_expiring":
      return (
        <Field label="Days before expiry" hint="Separated by commas. Each day sends one message.">
          {(control) => <Input {...control} {...form.register("days", numbers)} />}
        </Field>
      );
    case "key_unused":
      return <NumberField form={form} name="unusedDays" label="Days without a request" />;
    case "limit_overrun":
    case "key_new_address":
    case "database_failover":
    case "bound_exceeded":
      return null;
    case "refused_requests":
      return (
        <div className="grid gap-5 sm:grid-cols-2">
          <NumberField form={form} name="count" label="Refused requests" />
          <NumberField form={form} name="minutes" label="Minutes" />
        </div>
      );
    case "upstream_errors":
      return (
        <div className="grid gap-5 sm:grid-cols-3">
          <NumberField form={form} name="percent" label="Failure rate (%)" />
          <NumberField form={form} name="minRequests" label="Minimum requests" />
          <NumberField form={form} name="minutes" label="Minutes" />
        </div>
      );
  }
}

const isNumber = (text: string) => /^\d+(\.\d+)?$/.test(text);
const numbers = {
  validate: (text: string) =>
    (parseList(text).length > 0 && parseList(text).every(isNumber)) ||
    "Enter numbers, separated by commas.",
};

function ThresholdFields({ form }: { form: Form }) {
  const { errors } = form.formState;
  return (
    <div className="grid gap-5 sm:grid-cols-2">
      <Field
        label="Percent of each limit"
        hint="Separated by commas."
        error={errors.percents?.message}
      >
        {(control) => (
          <Input
            {...control}
            {...form.register("percents", {
              validate: (text, all) =>
                !parseList(text).every(isNumber)
                  ? "Enter whole numbers, separated by commas."
                  : parseList(text).length + parseList(all.amounts).length > 0 ||
                    "Enter a percentage or an amount.",
            })}
          />
        )}
      </Field>
      <Field
        label="Amounts in dollars"
        isOptional
        hint="Monthly spend, with or without a limit."
        error={errors.amounts?.message}
      >
        {(control) => (
          <Input
            {...control}
            inputMode="decimal"
            placeholder="100, 250"
            {...form.register("amounts", {
              validate: (text) =>
                parseList(text).every(isNumber) || "Enter amounts, separated by commas.",
            })}
          />
        )}
      </Field>
    </div>
  );
}

interface NumberFieldProps {
  form: Form;
  name: "percent" | "factor" | "unusedDays" | "count" | "minRequests" | "minutes";
  label: string;
  hint?: string;
}

function NumberField({ form, name, label, hint }: NumberFieldProps) {
  return (
    <Field label={label} hint={hint} error={form.formState.errors[name]?.message}>
      {(control) => (
        <Input
          {...control}
          inputMode="decimal"
          {...form.register(name, {
            validate: (text) => isNumber(text.trim()) || "Enter a number.",
          })}
        />
      )}
    </Field>
  );
}

const collectChoices = ["0", "5", "15", "60"];

/** A value that the API set is one of the choices too. */
function CollectField({ form }: { form: Form }) {
  const current = form.formState.defaultValues?.collectMinutes ?? "0";
  const choices = [...new Set([...collectChoices, current])].sort((a, b) => Number(a) - Number(b));
  return (
    <Field
      label="Collect firings"
      hint="Mail and Slack get one message about all firings of this time. A critical firing is sent at once, with those that wait."
    >
      {(control) => (
        <Select {...control} {...form.register("collectMinutes")}>
          {choices.map((minutes) => (
            <option key={minutes} value={minutes}>
              {minutes === "0" ? "No, send each evaluation at once" : `For ${minutes} minutes`}
            </option>
          ))}
        </Select>
      )}
    </Field>
  );
}

function ChannelFields({ form }: { form: Form }) {
  const channels = useChannels();
  const chosen = form.watch("channelIds");
  const items = channels.data?.items ?? [];
  const toggle = (id: string, isOn: boolean) =>
    form.setValue("channelIds", isOn ? [...chosen, id] : chosen.filter((each) => each !== id), {
      shouldDirty: true,
    });
  return (
    <fieldset className="grid gap-2.5">
      <legend className="mb-1 text-sm font-medium">Channels</legend>
      {items.length === 0 ? (
        <p className="text-sm text-quiet">
          No channel exists yet. Alerts are shown only in the console.
        </p>
      ) : (
        items.map((channel) => (
          <Checkbox
            key={channel.id}
            label={channel.name}
            hint={`${channelWords[channel.kind].label}${channel.state === "working" ? "" : `, ${channel.state}`}`}
            checked={chosen.includes(channel.id)}
            onChange={({ target }) => toggle(channel.id, target.checked)}
          />
        ))
      )}
    </fieldset>
  );
}
