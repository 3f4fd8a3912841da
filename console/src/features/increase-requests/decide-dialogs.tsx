import { Consequences } from "../../kit/consequences/consequences.tsx";
import { periodWords } from "../../kit/spend-limits/words.ts";
import { useChangeForm } from "../../kit/use-change-form.ts";
import { Dialog } from "../../ui/dialog.tsx";
import { DialogForm } from "../../ui/dialog-form.tsx";
import { Field } from "../../ui/field.tsx";
import { formatUsd } from "../../ui/format.ts";
import { MoneyInput, TextArea } from "../../ui/input.tsx";
import { describeApproval, describeDenial } from "./decision-effects.ts";
import {
  type IncreaseRequest,
  useApproveIncreaseRequest,
  useDenyIncreaseRequest,
} from "./queries.ts";
import { describeScope, formatActor } from "./words.ts";

interface DecideProps {
  request: IncreaseRequest;
  onClose: () => void;
}

const amountPattern = /^\d+(\.\d{1,9})?$/;
/** Amount without the commas of thousands. */
const toAmount = (text: string) => text.replaceAll(",", "").trim();

/** Approves a request. The amount can differ from the requested one. */
export function ApproveDialog({ request, onClose }: DecideProps) {
  const changeForm = useChangeForm(useApproveIncreaseRequest(), {
    defaultValues: { amount_usd: request.amount_usd, answer: "" },
    toInput: ({ amount_usd, answer }) => ({
      params: { spend_limit_increase_request_id: request.id },
      body: { amount_usd: toAmount(amount_usd), answer },
    }),
    toast: `Limit of ${describeScope(request)} set`,
    onSaved: onClose,
  });
  const { form } = changeForm;
  const { errors } = form.formState;
  const amount = toAmount(form.watch("amount_usd"));
  return (
    <Dialog
      title="Approve request"
      description={`Sets the limit of ${describeScope(request)}, ${periodWords[request.period]}. Current limit: ${request.limit_usd ? formatUsd(request.limit_usd) : "none"}.`}
      isOpen
      onClose={onClose}
    >
      <DialogForm form={changeForm} action="Approve request">
        <Field
          label="New limit"
          hint={`Requested: ${formatUsd(request.amount_usd)}.`}
          error={errors.amount_usd?.message}
        >
          {(control) => (
            <MoneyInput
              {...control}
              {...form.register("amount_usd", {
                validate: (text) =>
                  amountPattern.test(toAmount(text)) ||
                  "Enter an amount of dollars, such as 100.00.",
              })}
            />
          )}
        </Field>
        <Field label="Answer" isOptional hint={describeReceiver(request)}>
          {(control) => <TextArea {...control} maxLength={1000} {...form.register("answer")} />}
        </Field>
        <Consequences
          sentences={amountPattern.test(amount) ? describeApproval(request, amount) : []}
        />
      </DialogForm>
    </Dialog>
  );
}

export function DenyDialog({ request, onClose }: DecideProps) {
  const changeForm = useChangeForm(useDenyIncreaseRequest(), {
    defaultValues: { answer: "" },
    toInput: (body) => ({ params: { spend_limit_increase_request_id: request.id }, body }),
    toast: "Request denied",
    onSaved: onClose,
  });
  return (
    <Dialog
      title="Deny request"
      description={`The limit of ${describeScope(request)} stays the same.`}
      isOpen
      onClose={onClose}
    >
      <DialogForm form={changeForm} action="Deny request" isDanger>
        <Field label="Answer" isOptional hint={describeReceiver(request)}>
          {(control) => (
            <TextArea {...control} maxLength={1000} {...changeForm.form.register("answer")} />
          )}
        </Field>
        <Consequences sentences={describeDenial(request)} />
      </DialogForm>
    </Dialog>
  );
}

/** An admin key has no address. */
function describeReceiver({ requester }: IncreaseRequest): string {
  const name = formatActor(requester);
  return requester?.email ? `Sent to ${name} by e-mail.` : `Stored with the request of ${name}.`;
}
