import { Fingerprint } from "lucide-react";
import { type ReactNode, useCallback, useEffect, useRef, useState } from "react";
import { call } from "../../api-client.ts";
import { AuthPage } from "../../kit/sign-in/auth-page.tsx";
import { getPasskey, hasPasskeys, offerPasskeys } from "../../kit/sign-in/passkeys.ts";
import { PasswordField } from "../../kit/sign-in/password-field.tsx";
import { useChangeForm } from "../../kit/use-change-form.ts";
import { Button } from "../../ui/button.tsx";
import { Field } from "../../ui/field.tsx";
import { needed } from "../../ui/form.ts";
import { Input } from "../../ui/input.tsx";
import { FormError } from "../../ui/states.tsx";
import { useVisitorChange } from "./visitor.ts";

interface SignInStepsProps {
  title: string;
  lead?: ReactNode;
  /** Called in the new session. */
  onSignedIn: () => Promise<void>;
  /** Other ways, below the button for passkeys. */
  children?: ReactNode;
}

/** Sign-in with a password or a passkey, and the second factor. */
export function SignInSteps(props: SignInStepsProps) {
  const [needsCode, setNeedsCode] = useState(false);
  return needsCode ? (
    <CodePage onBack={() => setNeedsCode(false)} onSignedIn={props.onSignedIn} />
  ) : (
    <PasswordPage {...props} onNeedsCode={() => setNeedsCode(true)} />
  );
}

function PasswordPage(props: SignInStepsProps & { onNeedsCode: () => void }) {
  const { title, lead, children, onNeedsCode, onSignedIn } = props;
  const { form, submit, isBusy, error } = useChangeForm(useVisitorChange("signIn"), {
    defaultValues: { email: "", password: "" },
    toInput: (body) => ({ body }),
    onSaved: async ({ type }) => {
      if (type === "two_factor_required") onNeedsCode();
      else await onSignedIn();
    },
  });
  const { errors } = form.formState;
  return (
    <AuthPage title={title} lead={lead}>
      <form noValidate className="grid gap-5" onSubmit={submit}>
        <Field label="E-mail" error={errors.email?.message}>
          {(control) => (
            <Input
              {...control}
              type="email"
              autoComplete="username webauthn"
              autoFocus
              {...form.register("email", needed("Enter your e-mail address."))}
            />
          )}
        </Field>
        <PasswordField
          registration={form.register("password", needed("Enter your password."))}
          error={errors.password?.message}
        />
        <FormError error={error} />
        <Button kind="primary" type="submit" isBusy={isBusy}>
          Sign in
        </Button>
      </form>
      <OtherWays onSignedIn={onSignedIn}>{children}</OtherWays>
      <p className="text-sm">
        <a href="/reset" className="link">
          Forgot your password?
        </a>
      </p>
    </AuthPage>
  );
}

/** Interval of new passkey challenges, which expire after five minutes. */
const RENEW_MS = 240_000;

const fetchOptions = async () => (await call("getSignInPasskeyOptions", {})).options;

/** Offers passkeys in the address field from the start, and on the button. Only one of the two runs at a time. */
function usePasskeySignIn(onSignedIn: () => Promise<void>) {
  const [isBusy, setIsBusy] = useState(false);
  const [error, setError] = useState<Error | null>(null);
  const [round, setRound] = useState(0);
  const offer = useRef<AbortController | null>(null);
  const signedIn = useRef(onSignedIn);
  signedIn.current = onSignedIn;
  const signIn = useCallback(async (take: () => ReturnType<typeof getPasskey>) => {
    const passkey = await take();
    if (!passkey) return;
    setError(null);
    try {
      await call("signInWithPasskey", { body: { passkey } });
      await signedIn.current();
    } catch (failure) {
      setError(failure as Error);
    }
  }, []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: each round starts a new offer.
  useEffect(() => {
    const stop = new AbortController();
    offer.current = stop;
    // If the offer fails, the button still works and shows the reason.
    signIn(() => offerPasskeys(fetchOptions, stop.signal)).catch(() => undefined);
    const renewal = setTimeout(() => setRound((count) => count + 1), RENEW_MS);
    return () => {
      clearTimeout(renewal);
      stop.abort();
    };
  }, [round, signIn]);
  const ask = async () => {
    offer.current?.abort();
    setIsBusy(true);
    setError(null);
    try {
      await signIn(async () => getPasskey(await fetchOptions()));
    } catch (failure) {
      setError(failure as Error);
    } finally {
      setIsBusy(false);
      setRound((count) => count + 1);
    }
  };
  return { isBusy, error, ask };
}

function OtherWays({ onSignedIn, children }: Pick<SignInStepsProps, "onSignedIn" | "children">) {
  const { isBusy, error, ask } = usePasskeySignIn(onSignedIn);
  if (!hasPasskeys() && !children) return null;
  return (
    <div className="grid gap-4">
      <div className="flex items-center gap-3 text-sm text-faint before:h-px before:flex-1 before:bg-line after:h-px after:flex-1 after:bg-line">
        or
      </div>
      {hasPasskeys() && (
        <Button onClick={() => void ask()} isBusy={isBusy}>
          <Fingerprint size={16} /> Sign in with a passkey
        </Button>
      )}
      <FormError error={error} />
      {children}
    </div>
  );
}

/** Asks for the code of a sign-in whose first step is done. */
export function CodePage(props: { onBack: () => void; onSignedIn: () => Promise<void> }) {
  const { onBack, onSignedIn } = props;
  const [method, setMethod] = useState<"totp" | "backup_code">("totp");
  const { form, submit, isBusy, error } = useChangeForm(useVisitorChange("signInWithTwoFactor"), {
    defaultValues: { code: "" },
    toInput: ({ code }) => ({ body: { method, code } }),
    onSaved: onSignedIn,
  });
  const isTotp = method === "totp";
  return (
    <AuthPage title="Second factor" lead="Enter a code to sign in.">
      <form key={method} noValidate className="grid gap-5" onSubmit={submit}>
        <Field
          label={isTotp ? "Code" : "Backup code"}
          hint={isTotp ? "Six digits from your authenticator app." : "Each code works once."}
          error={form.formState.errors.code?.message}
        >
          {(control) => (
            <Input
              {...control}
              autoFocus
              inputMode={isTotp ? "numeric" : "text"}
              autoComplete="one-time-code"
              className="figures text-lg tracking-[0.2em]"
              {...form.register("code", needed("Enter the code."))}
            />
          )}
        </Field>
        <FormError error={error} />
        <Button kind="primary" type="submit" isBusy={isBusy}>
          Sign in
        </Button>
      </form>
      <p className="flex justify-between text-sm">
        <button
          type="button"
          className="link"
          onClick={() => setMethod(isTotp ? "backup_code" : "totp")}
        >
          {isTotp ? "Use a backup code" : "Use the authenticator app"}
        </button>
        <button type="button" className="link" onClick={onBack}>
          Start again
        </button>
      </p>
    </AuthPage>
  );
}
