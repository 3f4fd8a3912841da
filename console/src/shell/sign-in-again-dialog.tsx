import { Fingerprint } from "lucide-react";
import { useState } from "react";
import { useForm } from "react-hook-form";
import { type Answer, call } from "../api-client.ts";
import { getPasskey, hasPasskeys } from "../kit/sign-in/passkeys.ts";
import type { Question } from "../questions.ts";
import { useSession } from "../session.ts";
import { Button } from "../ui/button.tsx";
import { Dialog, DialogActions } from "../ui/dialog.tsx";
import { Field } from "../ui/field.tsx";
import { needed } from "../ui/form.ts";
import { Input } from "../ui/input.tsx";
import { FormError } from "../ui/states.tsx";

/** Dialog after the session ended. The same member signs in again, and the waiting call continues. */
export function SignInAgainDialog({ question }: { question: Question }) {
  return (
    <Dialog
      title="Sign in again"
      description="Your session has ended. Your input is not lost."
      isOpen
      isGuarded
      onClose={() => question.finish(false)}
    >
      <SignInForm onDone={question.finish} />
    </Dialog>
  );
}

function SignInForm({ onDone }: { onDone: (isSignedIn: boolean) => void }) {
  const { member } = useSession();
  const [needsCode, setNeedsCode] = useState(false);
  const [error, setError] = useState<Error | null>(null);
  const [isBusy, setIsBusy] = useState(false);
  const form = useForm({ defaultValues: { password: "", code: "" } });
  const { errors } = form.formState;
  const signIn = async (prove: () => Promise<Answer<"signIn"> | null>) => {
    setIsBusy(true);
    setError(null);
    try {
      const answer = await prove();
      if (answer === null) return;
      if (answer.type === "two_factor_required") setNeedsCode(true);
      else await continueSession(member.id, onDone);
    } catch (failure) {
      setError(failure as Error);
    } finally {
      setIsBusy(false);
    }
  };
  const submit = form.handleSubmit(({ password, code }) =>
    signIn(() =>
      needsCode
        ? call("signInWithTwoFactor", { body: { method: codeKind(code), code } })
        : call("signIn", { body: { email: member.email, password } }),
    ),
  );
  const withPasskey = () =>
    signIn(async () => {
      const { options } = await call("getSignInPasskeyOptions", {});
      const passkey = await getPasskey(options);
      return passkey && call("signInWithPasskey", { body: { passkey } });
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
      <p className="text-sm text-quiet">
        As <strong className="font-semibold text-ink">{member.email}</strong>
      </p>
      <input type="hidden" autoComplete="username" value={member.email} readOnly />
      {needsCode ? (
        <Field
          key="code"
          label="Code"
          hint="From your authenticator app, or a backup code."
          error={errors.code?.message}
        >
          {(control) => (
            <Input
              {...control}
              autoFocus
              autoComplete="one-time-code"
              {...form.register("code", needed("Enter the code."))}
            />
          )}
        </Field>
      ) : (
        <Field key="password" label="Password" error={errors.password?.message}>
          {(control) => (
            <Input
              {...control}
              type="password"
              autoComplete="current-password"
              {...form.register("password", needed("Enter your password."))}
            />
          )}
        </Field>
      )}
      <FormError error={error} />
      <DialogActions>
        {hasPasskeys() && !needsCode && (
          <span className="mr-auto">
            <Button disabled={isBusy} onClick={() => void withPasskey()}>
              <Fingerprint size={16} /> Use a passkey
            </Button>
          </span>
        )}
        <Button onClick={() => onDone(false)}>Leave without saving</Button>
        <Button kind="primary" type="submit" isBusy={isBusy}>
          Sign in
        </Button>
      </DialogActions>
    </form>
  );
}

/** Reloads the page if another member signed in, for example with their own passkey. */
async function continueSession(
  memberId: string,
  onDone: (isSignedIn: boolean) => void,
): Promise<void> {
  const session = await call("getSession", {});
  if (session.member.id !== memberId) location.reload();
  else onDone(true);
}

function codeKind(code: string): "totp" | "backup_code" {
  return /^\s*\d{6}\s*$/.test(code) ? "totp" : "backup_code";
}
