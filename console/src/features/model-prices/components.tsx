import { useChangeForm } from "../../kit/use-change-form.ts";
import { useChange } from "../../queries.ts";
import { Dialog } from "../../ui/dialog.tsx";
import { DialogForm } from "../../ui/dialog-form.tsx";
import { Field } from "../../ui/field.tsx";
import { needed, optionalDay } from "../../ui/form.ts";
import { exampleDay, parseDay } from "../../ui/format.ts";
import { Input, MoneyInput } from "../../ui/input.tsx";
import { PriceConsequences } from "./price-consequences.tsx";

const amount = {
  validate: (text: string) =>
    /^\d{1,10}(\.\d{1,9})?$/.test(text.trim()) || "Enter dollars per million tokens, such as 3.00.",
};
const optionalAmount = {
  validate: (text: string) => text.trim() === "" || amount.validate(text),
};

interface PriceValues {
  model: string;
  effective_from: string;
  input_usd: string;
  output_usd: string;
  cache_write_5m_usd: string;
  cache_write_1h_usd: string;
  cache_read_usd: string;
}

/** True if all fields are valid, so that the price can be previewed. */
function isComplete({ model, effective_from, input_usd, output_usd, ...optional }: PriceValues) {
  return (
    model.trim() !== "" &&
    (effective_from.trim() === "" || parseDay(effective_from) !== null) &&
    [input_usd, output_usd].every((text) => amount.validate(text) === true) &&
    Object.values(optional).every((text) => optionalAmount.validate(text) === true)
  );
}

function toBody({ effective_from, model: name, ...amounts }: PriceValues) {
  const typedAmounts = Object.entries(amounts).filter(([, text]) => text.trim() !== "");
  return {
    model: name.trim(),
    input_usd: amounts.input_usd.trim(),
    output_usd: amounts.output_usd.trim(),
    ...Object.fromEntries(typedAmounts.map(([key, text]) => [key, text.trim()])),
    ...(effective_from.trim() !== "" && {
      effective_from: `${parseDay(effective_from)}T00:00:00Z`,
    }),
  };
}

/** Overrides the price of exactly this model name, from now or from a later day. */
export function SetPriceDialog({ model, onClose }: { model: string; onClose: () => void }) {
  const set = useChange("createModelPrice", ["listModelPrices"]);
  const changeForm = useChangeForm(set, {
    defaultValues: {
      model,
      effective_from: "",
      input_usd: "",
      output_usd: "",
      cache_write_5m_usd: "",
      cache_write_1h_usd: "",
      cache_read_usd: "",
    } as PriceValues,
    toInput: (values) => ({ body: toBody(values) }),
    toast: (made) => `Price of ${made.model} set`,
    onSaved: onClose,
  });
  const { form } = changeForm;
  const { errors } = form.formState;
  return (
    <Dialog
      title="Set price"
      description="US dollars per million tokens. Empty cache prices use the published multiples of the input price."
      isOpen
      onClose={onClose}
    >
      <DialogForm form={changeForm} action="Set price">
        <Field
          label="Model"
          hint="The exact model name that programs send."
          error={errors.model?.message}
        >
          {(control) => (
            <Input {...control} {...form.register("model", needed("Enter a model name."))} />
          )}
        </Field>
        <div className="grid grid-cols-2 gap-5">
          <Field label="Input" error={errors.input_usd?.message}>
            {(control) => <MoneyInput {...control} {...form.register("input_usd", amount)} />}
          </Field>
          <Field label="Output" error={errors.output_usd?.message}>
            {(control) => <MoneyInput {...control} {...form.register("output_usd", amount)} />}
          </Field>
          <Field label="Cache write, 5 min" isOptional error={errors.cache_write_5m_usd?.message}>
            {(control) => (
              <MoneyInput {...control} {...form.register("cache_write_5m_usd", optionalAmount)} />
            )}
          </Field>
          <Field label="Cache write, 1 h" isOptional error={errors.cache_write_1h_usd?.message}>
            {(control) => (
              <MoneyInput {...control} {...form.register("cache_write_1h_usd", optionalAmount)} />
            )}
          </Field>
          <Field label="Cache read" isOptional error={errors.cache_read_usd?.message}>
            {(control) => (
              <MoneyInput {...control} {...form.register("cache_read_usd", optionalAmount)} />
            )}
          </Field>
          <Field
            label="Start date"
            isOptional
            hint="The start of this day in UTC. Empty: now."
            error={errors.effective_from?.message}
          >
            {(control) => (
              <Input
                {...control}
                placeholder={exampleDay()}
                {...form.register("effective_from", optionalDay())}
              />
            )}
          </Field>
        </div>
        <PriceConsequences body={isComplete(form.watch()) ? toBody(form.watch()) : null} />
      </DialogForm>
    </Dialog>
  );
}
