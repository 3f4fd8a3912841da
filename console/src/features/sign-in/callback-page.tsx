import { useEffect, useRef, useState } from "react";
import { type Answer, ApiError, call } from "../../api-client.ts";
import { AuthPage } from "../../kit/sign-in/auth-page.tsx";
import {
  consumeNext,
  consumeResponse,
  leaveForProvider,
  reportSignIn,
} from "../../kit/sign-in/provider-response.ts";
import { Button, ButtonLink } from "../../ui/button.tsx";
import { FormError, SkeletonRows } from "../../ui/states.tsx";
import { OpenPage } from "./login-page.tsx";
import { CodePage, SignInSteps } from "./sign-in-steps.tsx";
import { useAnswer } from "./visitor.ts";

type Arrived = Answer<"completeDirectorySignIn">["type"];

/** Receives the response of a provider. */
export function CallbackPage() {
  const directoryId = location.pathname.split("/")[3] ?? "";
  const [response] = useState(consumeResponse);
  const [next] = useState(consumeNext);
  const { arrived, error, onSignedIn } = useArrival(directoryId, response);
  if (error) return <FailedPage error={error} directoryId={directoryId} next={next} />;
  switch (arrived) {
    case "two_factor_required":
      return <CodePage onBack={() => location.assign("/login")} onSignedIn={onSignedIn} />;
    case "link_required":
      return <LinkPage onSignedIn={onSignedIn} />;
    case "signed_in":
      return next === null ? <ReturnPage /> : <OpenPage to={next} />;
    default:
      return (
        <AuthPage title="Signing in">
          <SkeletonRows rows={2} />
        </AuthPage>
      );
  }
}

/** Page of a tab that was opened for the sign-in alone. The other tab continues. */
function ReturnPage() {
  useEffect(() => {
    reportSignIn();
    // Works only where the browser still knows that a script opened the tab.
    window.close();
  }, []);
  return (
    <AuthPage title="You are signed in" lead="Close this tab, and continue in the other one.">
      <div className="flex">
        <ButtonLink to="/">Open the console here</ButtonLink>
      </div>
    </AuthPage>
  );
}

/** Sends the response once, although the page can be drawn several times. */
function useArrival(directoryId: string, response: string) {
  const [arrived, setArrived] = useState<Arrived | null>(null);
  const [error, setError] = useState<Error | null>(null);
  const isSent = useRef(false);
  useEffect(() => {
    if (isSent.current) return;
    isSent.current = true;
    const send = async () => {
      const input = { params: { directory_id: directoryId }, body: { response } };
      const { type } = await call("completeDirectorySignIn", input);
      setArrived(type);
    };
    send().catch((failure: Error) => setError(failure));
  }, [directoryId, response]);
  const onSignedIn = async () => setArrived("signed_in");
  return { arrived, error, onSignedIn };
}

interface FailedPageProps {
  error: Error;
  directoryId: string;
  next: string | null;
}

function FailedPage({ error, directoryId, next }: FailedPageProps) {
  const [failure, setFailure] = useState(error);
  const [isBusy, setIsBusy] = useState(false);
  // The provider remembers its last account, and would answer with the refused person again.
  const tryAgain = async () => {
    setIsBusy(true);
    try {
      await leaveForProvider(directoryId, { next, isAgain: true });
    } catch (again) {
      setFailure(again as Error);
      setIsBusy(false);
    }
  };
  return (
    <AuthPage title="Sign-in failed" lead={failure.message}>
      <div className="flex flex-wrap gap-2.5">
        <ButtonLink to="/login">Back to sign-in</ButtonLink>
        {isOfPerson(error) && (
          <Button onClick={() => void tryAgain()} isBusy={isBusy}>
            Use another account
          </Button>
        )}
      </div>
    </AuthPage>
  );
}

/** Whether the provider has identified a person whom this server refuses. */
function isOfPerson(error: Error): boolean {
  return error instanceof ApiError && (error.status === 403 || error.status === 409);
}

/** The address belongs to a member: asks the member to confirm that the person is the same. */
function LinkPage({ onSignedIn }: { onSignedIn: () => Promise<void> }) {
  const directories = useAnswer("listSignInDirectories", {});
  if (directories.data?.company_sign_in_only) {
    return (
      <AuthPage
        title="Link your account"
        lead="Your address belongs to a member. Confirm by e-mail that it is you, and your company sign-in is linked to the account."
      >
        <div className="grid gap-4">
          <LinkMail />
        </div>
      </AuthPage>
    );
  }
  return (
    <SignInSteps
      title="Link your account"
      lead="Your address belongs to a member. Sign in once as before, or confirm by e-mail. Your company sign-in then opens the account."
      onSignedIn={async () => {
        await call("confirmDirectoryLink", { body: {} });
        await onSignedIn();
      }}
    >
      <LinkMail />
    </SignInSteps>
  );
}

function LinkMail() {
  const [state, setState] = useState<"offered" | "sending" | "sent">("offered");
  const [error, setError] = useState<Error | null>(null);
  if (state === "sent") {
    return (
      <div role="status" className="grid gap-1.5">
        <p>Message sent. Open its link in this browser within ten minutes.</p>
        <p className="text-sm text-quiet">
          No message? Without a mail server, the operator can read the link on the server:{" "}
          <code>./bursar mail list</code>.
        </p>
      </div>
    );
  }
  const send = async () => {
    setState("sending");
    setError(null);
    try {
      await call("requestDirectoryLinkMail", {});
      setState("sent");
    } catch (failure) {
      setError(failure as Error);
      setState("offered");
    }
  };
  return (
    <>
      <Button onClick={() => void send()} isBusy={state === "sending"}>
        Confirm by e-mail
      </Button>
      <FormError error={error} />
    </>
  );
}
