import { Fingerprint } from "lucide-react";
import { useState } from "react";
import { useForm } from "react-hook-form";
import { type Answer, call } from "../api-client.ts";
import { getPasskey, hasPasskeys } from "../kit/sign-in/passkeys.ts";
import { PasswordField } from "../kit/sign-in/password-field.tsx";
import { SignInTab } from "../kit/sign-in/sign-in-tab.tsx";
import { useApi } from "../queries.ts";
import type { Question } from "../questions.ts";
import { continueSession, useSession } from "../session.ts";
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
  const { member, password_state } = useSession();
  const directories = useApi("listSignInDirectories", {});
  const isCompanySignInOnly = directories.data?.company_sign_in_only === true;
  const canUsePassword = password_state === "usable" && !isCompanySignInOnly;
  const [needsCode, setNeedsCode] = useState(false);
  const [error, setError] = useState<Error | null>(null);
  const [isBusy, setIsBusy] = useState(false);
  const form = useForm({ defaultValues: { password: "", code: "" } });
  const { errors } = form.formState;
  const continueSignedIn = async () => {
    if ((await continueSession(member.id)) !== null) onDone(true);
  };
  const signIn = async (prove: () => Promise<Answer<"signIn"> | null>) => {
    setIsBusy(true);
    setError(null);
    try {
      const answer = await prove();
      if (answer === null) return;
      if (answer.type === "two_factor_required") setNeedsCode(true);
      else await continueSignedIn();
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
        canUsePassword && (
          <PasswordField
            key="password"
            registration={form.register("password", needed("Enter your password."))}
            error={errors.password?.message}
          />
        )
      )}
      <FormError error={error} />
      {!needsCode && directories.data && (
        <SignInTab
          directories={directories.data.data}
          isAgain={false}
          isPrimary={!canUsePassword}
          onSignedIn={() => void continueSignedIn().catch(setError)}
        />
      )}
      <DialogActions>
        {hasPasskeys() && !needsCode && !isCompanySignInOnly && (
          <span className="mr-auto">
            <Button disabled={isBusy} onClick={() => void withPasskey()}>
              <Fingerprint size={16} /> Use a passkey
            </Button>
          </span>
        )}
        <Button onClick={() => onDone(false)}>Leave without saving</Button>
        {(canUsePassword || needsCode) && (
          <Button kind="primary" type="submit" isBusy={isBusy}>
            Sign in
          </Button>
        )}
      </DialogActions>
    </form>
  );
}

function codeKind(code: string): "totp" | "backup_code" {
  return /^\s*\d{6}\s*$/.test(code) ? "totp" : "backup_code";
}
