import { Fingerprint } from "lucide-react";
import { useState } from "react";
import { useForm } from "react-hook-form";
import { call } from "../api-client.ts";
import { getPasskey, hasPasskeys } from "../kit/sign-in/passkeys.ts";
import { PasswordField } from "../kit/sign-in/password-field.tsx";
import { SignInTab } from "../kit/sign-in/sign-in-tab.tsx";
import { queryClient } from "../queries.ts";
import type { Question } from "../questions.ts";
import { continueSession, useSession } from "../session.ts";
import { Button } from "../ui/button.tsx";
import { CancelButton, Dialog, DialogActions } from "../ui/dialog.tsx";
import { needed } from "../ui/form.ts";
import { FormError } from "../ui/states.tsx";

/** Asks for a proof of identity before a sensitive change. The change then continues. */
export function StepUpDialog({ question }: { question: Question }) {
  return (
    <Dialog
      title="Confirm your identity"
      description="Sensitive changes need a confirmation. A confirmation is valid for ten minutes."
      isOpen
      isForgetful
      onClose={() => question.finish(false)}
    >
      <StepUpForm onDone={question.finish} />
    </Dialog>
  );
}

function StepUpForm({ onDone }: { onDone: (isConfirmed: boolean) => void }) {
  const { member, two_factor, directory, password_state } = useSession();
  const canUsePassword = password_state === "usable";
  const [error, setError] = useState<Error | null>(null);
  const [isBusy, setIsBusy] = useState(false);
  const form = useForm({ defaultValues: { password: "" } });
  const confirm = async (prove: () => Promise<object | null>) => {
    setIsBusy(true);
    setError(null);
    try {
      if (await prove()) {
        void queryClient.invalidateQueries({ queryKey: ["getSession"] });
        onDone(true);
      }
    } catch (failure) {
      setError(failure as Error);
    } finally {
      setIsBusy(false);
    }
  };
  const submit = form.handleSubmit((body) => confirm(() => call("stepUp", { body })));
  const withPasskey = () =>
    confirm(async () => {
      const { options } = await call("getStepUpPasskeyOptions", {});
      const passkey = await getPasskey(options);
      return passkey && call("stepUp", { body: { passkey } });
    });
  // In the new session of the other tab.
  const continueSignedIn = () =>
    confirm(async () => {
      const session = await continueSession(member.id);
      if (session === null || session.stepped_up_until !== null) return session;
      throw new Error(
        `${directory?.name} reports no new proof of identity. Sign out there, and try again.`,
      );
    });
  return (
    <form
      noValidate
      className="grid gap-5"
      onSubmit={(event) => {
        // React passes events to the form that opened this dialog. That form must not submit again.
        event.stopPropagation();
        void submit(event);
      }}
    >
      <input type="hidden" autoComplete="username" value={member.email} readOnly />
      {canUsePassword && (
        <PasswordField
          registration={form.register("password", needed("Enter your password."))}
          error={form.formState.errors.password?.message}
        />
      )}
      <FormError error={error} />
      {directory && (
        <SignInTab
          directories={[directory]}
          isAgain
          isPrimary={!canUsePassword}
          onSignedIn={() => void continueSignedIn()}
        />
      )}
      <DialogActions>
        {two_factor.passkeys > 0 && hasPasskeys() && (
          <span className="mr-auto">
            <Button disabled={isBusy} onClick={() => void withPasskey()}>
              <Fingerprint size={16} /> Use a passkey
            </Button>
          </span>
        )}
        <CancelButton />
        {canUsePassword && (
          <Button kind="primary" type="submit" isBusy={isBusy}>
            Confirm
          </Button>
        )}
      </DialogActions>
    </form>
  );
}
