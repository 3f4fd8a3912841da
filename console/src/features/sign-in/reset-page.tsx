import { useState } from "react";
import { AuthPage } from "../../kit/sign-in/auth-page.tsx";
import { NewPasswordField } from "../../kit/sign-in/new-password-field.tsx";
import { useOneTimeToken } from "../../kit/sign-in/one-time-token.ts";
import { useChangeForm } from "../../kit/use-change-form.ts";
import { Button, ButtonLink } from "../../ui/button.tsx";
import { Field } from "../../ui/field.tsx";
import { needed } from "../../ui/form.ts";
import { Input } from "../../ui/input.tsx";
import { FormError } from "../../ui/states.tsx";
import { useVisitorChange } from "./visitor.ts";

const BACK = (
  <p className="text-sm">
    <a href="/login" className="link">
      Back to sign-in
    </a>
  </p>
);

/** Sets a new password with the link's token. Without a token, requests a link. */
export function ResetPage() {
  const token = useOneTimeToken();
  return token === null ? <RequestLink /> : <SetPassword token={token} />;
}

function RequestLink() {
  const [isSent, setIsSent] = useState(false);
  const { form, submit, isBusy, error } = useChangeForm(useVisitorChange("requestPasswordReset"), {
    defaultValues: { email: "" },
    toInput: (body) => ({ body }),
    onSaved: () => setIsSent(true),
  });
  if (isSent) {
    return (
      <AuthPage title="Check your e-mail">
        <p>
          If an account with the address{" "}
          <strong className="font-semibold">{form.getValues("email")}</strong> exists, you get a
          link to set a new password. The link expires after one hour.
        </p>
        <p className="text-sm text-quiet">
          No message? Without a mail server, an Owner or Admin can give you the link. On the server,{" "}
          <code>./bursar owners reset</code> resets the password of an owner.
        </p>
        {BACK}
      </AuthPage>
    );
  }
  return (
    <AuthPage title="Set a new password" lead="A link is sent to your address.">
      <form noValidate className="grid gap-5" onSubmit={submit}>
        <Field label="E-mail" error={form.formState.errors.email?.message}>
          {(control) => (
            <Input
              {...control}
              type="email"
              autoComplete="username"
              autoFocus
              {...form.register("email", needed("Enter your e-mail address."))}
            />
          )}
        </Field>
        <FormError error={error} />
        <Button kind="primary" type="submit" isBusy={isBusy}>
          Send link
        </Button>
      </form>
      {BACK}
    </AuthPage>
  );
}

function SetPassword({ token }: { token: string }) {
  const [isChanged, setIsChanged] = useState(false);
  const { form, submit, isBusy, error } = useChangeForm(useVisitorChange("confirmPasswordReset"), {
    defaultValues: { password: "" },
    toInput: ({ password }) => ({ body: { token, password } }),
    onSaved: () => setIsChanged(true),
  });
  if (isChanged) {
    return (
      <AuthPage
        title="Password changed"
        lead="All sessions have ended. Sign in with the new password."
      >
        <div className="flex">
          <ButtonLink to="/login" kind="primary">
            Sign in
          </ButtonLink>
        </div>
      </AuthPage>
    );
  }
  return (
    <AuthPage title="Set a new password">
      <form noValidate className="grid gap-5" onSubmit={submit}>
        <NewPasswordField
          registration={form.register("password", needed("Choose a password."))}
          error={form.formState.errors.password?.message}
        />
        <FormError error={error} />
        <Button kind="primary" type="submit" isBusy={isBusy}>
          Set password
        </Button>
      </form>
      {BACK}
    </AuthPage>
  );
}
