import { useState } from "react";
import { useChangeForm } from "../../kit/use-change-form.ts";
import { useApi } from "../../queries.ts";
import { useSession } from "../../session.ts";
import { Button } from "../../ui/button.tsx";
import { Field } from "../../ui/field.tsx";
import { needed } from "../../ui/form.ts";
import { Input } from "../../ui/input.tsx";
import { FormError } from "../../ui/states.tsx";
import { useSendTestMail } from "./queries.ts";

/** Sends a test message and shows its status. */
export function TestMail() {
  const { member } = useSession();
  const [sentId, setSentId] = useState<string | null>(null);
  const { form, submit, isBusy, error } = useChangeForm(useSendTestMail(), {
    defaultValues: { to: member.email },
    toInput: (body) => ({ body }),
    onSaved: ({ id }) => setSentId(id),
  });
  return (
    <form noValidate className="grid gap-3" onSubmit={submit}>
      <div className="flex flex-wrap items-end gap-3">
        <Field
          label="Test recipient"
          error={form.formState.errors.to?.message}
          className="flex-1 basis-60 sm:max-w-xs"
        >
          {(control) => (
            <Input
              {...control}
              type="email"
              {...form.register("to", needed("Enter an address."))}
            />
          )}
        </Field>
        <Button type="submit" isBusy={isBusy}>
          Send test message
        </Button>
      </div>
      <FormError error={error} />
      {sentId && <Outcome key={sentId} mailId={sentId} />}
    </form>
  );
}

const POLL_MS = 1_000;

function Outcome({ mailId }: { mailId: string }) {
  const [isOver, setIsOver] = useState(false);
  const mail = useApi(
    "getMail",
    { params: { mail_id: mailId } },
    { everyMs: isOver ? null : POLL_MS },
  );
  const { status, attempts = 0, last_error = null, to } = mail.data ?? {};
  if (status !== undefined && status !== "queued" && !isOver) setIsOver(true);
  return (
    <p role="status" className="text-sm">
      {status === "sent" ? (
        <span className="text-good">
          The mail server accepted the message to {to}. Check the inbox.
        </span>
      ) : last_error ? (
        <span className="text-bad">
          {attempts === 1 ? "Delivery failed" : `Delivery failed ${attempts} times`}: {last_error}
          {status === "queued" && " The server retries automatically."}
        </span>
      ) : (
        <span className="text-quiet">Sending…</span>
      )}
    </p>
  );
}
