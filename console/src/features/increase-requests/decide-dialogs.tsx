import { useState } from "react";
import { useForm } from "react-hook-form";
import { showServerErrors } from "../../kit/server-errors.ts";
import { periodWords } from "../../kit/spend-limits/words.ts";
import { Button } from "../../ui/button.tsx";
import { CancelButton, Dialog, DialogActions } from "../../ui/dialog.tsx";
import { Field } from "../../ui/field.tsx";
import { formatUsd } from "../../ui/format.ts";
import { MoneyInput, TextArea } from "../../ui/input.tsx";
import { FormError } from "../../ui/states.tsx";
import { showToast } from "../../ui/toast.ts";
import {
  type IncreaseRequest,
  useApproveIncreaseRequest,
  useDenyIncreaseRequest,
} from "./queries.ts";
import { personWords, scopeWords } from "./words.ts";

interface DecideProps {
  request: IncreaseRequest;
  onClose: () => void;
}

/** Sets the limit, to what was asked for or to something else. */
export function ApproveDialog({ request, onClose }: DecideProps) {
  const approve = useApproveIncreaseRequest();
  const [error, setError] = useState<Error | null>(null);
  const form = useForm({ defaultValues: { amount_usd: request.amount_usd, answer: "" } });
  const { errors } = form.formState;
  const submit = form.handleSubmit(async ({ amount_usd, answer }) => {
    setError(null);
    try {
      await approve.mutateAsync({
        params: { spend_limit_increase_request_id: request.id },
        body: { amount_usd: amount_usd.replaceAll(",", "").trim(), answer },
      });
      showToast(`Limit of ${scopeWords(request)} set`);
      onClose();
    } catch (failure) {
      setError(showServerErrors(form, failure as Error));
    }
  });
  return (
    <Dialog
      title="Approve request"
      description={`Sets the limit of ${scopeWords(request)}, ${periodWords[request.period]}. It is ${request.limit_usd ? formatUsd(request.limit_usd) : "not set"} now.`}
      isOpen
      onClose={onClose}
    >
      <form onSubmit={(event) => void submit(event)} noValidate className="grid gap-5">
        <Field
          label="New limit"
          hint={`Asked for: ${formatUsd(request.amount_usd)}.`}
          error={errors.amount_usd?.message}
        >
          {(control) => (
            <MoneyInput
              {...control}
              {...form.register("amount_usd", {
                validate: (text) =>
                  /^[\d,]+(\.\d+)?$/.test(text.trim()) ||
                  "Enter an amount of dollars, such as 100.00.",
              })}
            />
          )}
        </Field>
        <Field
          label="Answer"
          isOptional
          hint={`For ${personWords(request.requester)}, who hears of it by mail.`}
        >
          {(control) => <TextArea {...control} maxLength={1000} {...form.register("answer")} />}
        </Field>
        <FormError error={error} />
        <DialogActions>
          <CancelButton />
          <Button kind="primary" type="submit" isBusy={approve.isPending}>
            Approve request
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}

export function DenyDialog({ request, onClose }: DecideProps) {
  const deny = useDenyIncreaseRequest();
  const [answer, setAnswer] = useState("");
  return (
    <Dialog
      title="Deny request"
      description={`The limit of ${scopeWords(request)} stays what it is.`}
      isOpen
      onClose={onClose}
    >
      <form
        className="grid gap-5"
        onSubmit={(event) => {
          event.preventDefault();
          deny.mutate(
            { params: { spend_limit_increase_request_id: request.id }, body: { answer } },
            {
              onSuccess: () => {
                showToast("Request denied");
                onClose();
              },
            },
          );
        }}
      >
        <Field
          label="Answer"
          isOptional
          hint={`For ${personWords(request.requester)}, who hears of it by mail.`}
        >
          {(control) => (
            <TextArea
              {...control}
              maxLength={1000}
              value={answer}
              onChange={({ target }) => setAnswer(target.value)}
            />
          )}
        </Field>
        <FormError error={deny.error} />
        <DialogActions>
          <CancelButton />
          <Button kind="danger" type="submit" isBusy={deny.isPending}>
            Deny request
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
