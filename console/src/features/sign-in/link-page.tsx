import { useState } from "react";
import { call } from "../../api-client.ts";
import { AuthPage } from "../../kit/sign-in/auth-page.tsx";
import { useOneTimeToken } from "../../kit/sign-in/one-time-token.ts";
import { Button, ButtonLink } from "../../ui/button.tsx";
import { FormError } from "../../ui/states.tsx";
import { OpenPage } from "./login-page.tsx";
import { CodePage } from "./sign-in-steps.tsx";
import { openConsole, useIsSignedIn } from "./visitor.ts";

/** Confirms with the token of a message that a person of a directory is the member. */
export function LinkPage() {
  const token = useOneTimeToken();
  const isSignedIn = useIsSignedIn();
  const [needsCode, setNeedsCode] = useState(false);
  const [isBusy, setIsBusy] = useState(false);
  const [error, setError] = useState<Error | null>(null);
  if (isSignedIn && !isBusy && token === null) return <OpenPage to="/account" />;
  if (needsCode) {
    return <CodePage onBack={() => location.assign("/login")} onSignedIn={open} />;
  }
  const confirm = async () => {
    setIsBusy(true);
    setError(null);
    try {
      const { type } = await call("confirmDirectoryLink", { body: { token: token ?? "" } });
      if (type === "two_factor_required") setNeedsCode(true);
      else await open();
    } catch (failure) {
      setError(failure as Error);
    } finally {
      setIsBusy(false);
    }
  };
  return (
    <AuthPage
      title="Link your account"
      lead={
        token === null
          ? "The link is incomplete. Copy the full link from the message."
          : "Your company sign-in then opens your account."
      }
    >
      <FormError error={error} />
      {token !== null && (
        <Button kind="primary" onClick={() => void confirm()} isBusy={isBusy}>
          Link account
        </Button>
      )}
      <div className="flex">
        <ButtonLink to="/login">Back to sign-in</ButtonLink>
      </div>
    </AuthPage>
  );
}

const open = () => openConsole("/");
