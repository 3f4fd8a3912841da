import { telemetrySignals } from "@bursar/contract/telemetry-signals.ts";
import { type UseFormReturn, useFieldArray } from "react-hook-form";
import { Consequences } from "../../kit/consequences/consequences.tsx";
import { HeaderRows } from "../../kit/header-rows.tsx";
import { useChangeForm } from "../../kit/use-change-form.ts";
import { Dialog } from "../../ui/dialog.tsx";
import { DialogForm } from "../../ui/dialog-form.tsx";
import { Field } from "../../ui/field.tsx";
import { needed } from "../../ui/form.ts";
import { Checkbox, Input } from "../../ui/input.tsx";
import { describeChangedReceiver } from "./receiver-effects.ts";
import {
  type Receiver,
  type Signal,
  useCreateReceiver,
  useUpdateReceiver,
} from "./telemetry-queries.ts";
import { signalWords } from "./telemetry-words.ts";

interface ReceiverDialogProps {
  /** Receiver to change. Null: a new one. */
  receiver: Receiver | null;
  onClose: () => void;
}

interface ReceiverValues {
  name: string;
  url: string;
  signals: Signal[];
  /** New headers. Empty: the stored ones stay. */
  headers: { name: string; value: string }[];
}

export function ReceiverDialog({ receiver, onClose }: ReceiverDialogProps) {
  return (
    <Dialog title={receiver ? "Change receiver" : "Create receiver"} isOpen onClose={onClose}>
      <ReceiverForm receiver={receiver} onClose={onClose} />
    </Dialog>
  );
}

function ReceiverForm({ receiver, onClose }: ReceiverDialogProps) {
  const create = useCreateReceiver();
  const update = useUpdateReceiver();
  const changeForm = useChangeForm(receiver ? update : create, {
    defaultValues: toValues(receiver),
    toInput: ({ name, url, signals, headers }) => {
      if (signals.length === 0) return null;
      const entered = headers.filter((header) => header.name.trim() !== "");
      const fields = {
        ...{ name, url: url.trim(), signals },
        ...(entered.length > 0 && {
          headers: Object.fromEntries(
            entered.map(({ name, value }) => [name.trim(), value.trim()]),
          ),
        }),
      };
      if (receiver === null) return { body: fields };
      const version = receiver.version ?? undefined;
      return {
        params: { telemetry_receiver_id: receiver.id },
        body: { ...fields, if_version: version },
      };
    },
    toast: (_, { name }) => (receiver ? "Receiver changed" : `Receiver “${name.trim()}” created`),
    onSaved: onClose,
  });
  const { form } = changeForm;
  const { errors } = form.formState;
  return (
    <DialogForm form={changeForm} action={receiver ? "Change receiver" : "Create receiver"}>
      <Field label="Name" error={errors.name?.message}>
        {(control) => (
          <Input
            {...control}
            {...form.register("name", needed("Enter a name."))}
            placeholder="Grafana"
            maxLength={100}
          />
        )}
      </Field>
      <Field
        label="Address"
        hint="Receiver of OTLP over HTTP. Bursar adds paths such as /v1/metrics."
        error={errors.url?.message}
      >
        {(control) => (
          <Input
            {...control}
            {...form.register("url", needed("Enter an address."))}
            type="url"
            spellCheck={false}
            placeholder="https://otel.example.com:4318"
          />
        )}
      </Field>
      <Signals form={form} />
      <Headers form={form} receiver={receiver} />
      {receiver && (
        <Consequences
          sentences={describeChangedReceiver({
            before: receiver,
            url: form.watch("url").trim(),
            signals: form.watch("signals"),
            hasNewHeaders: form.watch("headers").some(({ name }) => name.trim() !== ""),
          })}
        />
      )}
    </DialogForm>
  );
}

function Signals({ form }: { form: UseFormReturn<ReceiverValues> }) {
  const signals = form.watch("signals");
  return (
    <fieldset className="grid gap-2.5">
      <legend className="mb-1 text-sm font-medium">Signals</legend>
      <div className="grid gap-2.5 sm:grid-cols-3">
        {telemetrySignals.map((signal) => (
          <Checkbox
            key={signal}
            label={signalWords[signal]}
            checked={signals.includes(signal)}
            onChange={({ target }) =>
              form.setValue(
                "signals",
                telemetrySignals.filter((each) =>
                  each === signal ? target.checked : signals.includes(each),
                ),
                { shouldDirty: true },
              )
            }
          />
        ))}
      </div>
      {signals.length === 0 && <p className="text-sm text-bad">Choose a signal.</p>}
    </fieldset>
  );
}

interface HeadersProps {
  form: UseFormReturn<ReceiverValues>;
  receiver: Receiver | null;
}

function Headers({ form, receiver }: HeadersProps) {
  const { fields, append, remove } = useFieldArray({ control: form.control, name: "headers" });
  const error = form.formState.errors.headers?.message;
  const stored = receiver?.header_names ?? [];
  return (
    <fieldset className="grid gap-2.5">
      <legend className="mb-1 text-sm font-medium">Headers</legend>
      <p className="text-sm text-quiet">
        {stored.length > 0
          ? `Stored: ${stored.join(", ")}. New headers replace all of them. An address at another host removes them.`
          : "Stored encrypted, and never shown again."}
      </p>
      <HeaderRows
        rows={fields}
        registerName={(index) => form.register(`headers.${index}.name`)}
        registerValue={(index) => form.register(`headers.${index}.value`)}
        onAdd={() => append({ name: "", value: "" })}
        onRemove={remove}
        placeholder="authorization"
        error={error}
      />
    </fieldset>
  );
}

function toValues(receiver: Receiver | null): ReceiverValues {
  return {
    name: receiver?.name ?? "",
    url: receiver?.url ?? "",
    signals: [...(receiver?.signals ?? telemetrySignals)],
    headers: [],
  };
}
