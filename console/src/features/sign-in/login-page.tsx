import { type ReactNode, useEffect, useState } from "react";
import { AuthPage } from "../../kit/sign-in/auth-page.tsx";
import { DirectoryButtons } from "./directory-buttons.tsx";
import { SignInSteps } from "./sign-in-steps.tsx";
import { openConsole, useAnswer, useIsSignedIn } from "./visitor.ts";

/** Sign-in with password, passkey, directory and second factor, then the requested page. */
export function LoginPage() {
  const next = readNext();
  const isSignedIn = useIsSignedIn();
  const setUp = useAnswer("getSetUp", {});
  const directories = useAnswer("listSignInDirectories", {}).data;
  const [isRecovering, setIsRecovering] = useState(false);
  if (isSignedIn) return <OpenPage to={next ?? "/"} />;
  if (setUp.data?.is_open) return <OpenPage to="/setup" />;
  const lead = next !== null && "After sign-in you return to your page.";
  const open = () => openConsole(next ?? "/");
  const buttons = <DirectoryButtons directories={directories?.data ?? []} next={next} />;
  if (directories?.company_sign_in_only) {
    if (!isRecovering) {
      return (
        <CompanySignInPage onRecover={() => setIsRecovering(true)}>{buttons}</CompanySignInPage>
      );
    }
    return (
      <SignInSteps title="Owner recovery" lead={<RecoveryLead />} onSignedIn={open}>
        {buttons}
      </SignInSteps>
    );
  }
  return (
    <SignInSteps title="Sign in" lead={lead} onSignedIn={open}>
      {buttons}
    </SignInSteps>
  );
}

/** Page to open after the sign-in: a path of this console, never another site. */
function readNext(): string | null {
  const next = new URLSearchParams(location.search).get("next") ?? "";
  return /^\/(?![/\\])/.test(next) ? next : null;
}

interface CompanySignInPageProps {
  onRecover: () => void;
  children: ReactNode;
}

/** Sign-in where each organization of the server requires a directory. */
function CompanySignInPage({ onRecover, children }: CompanySignInPageProps) {
  return (
    <AuthPage title="Sign in" lead="Use your company account.">
      <div className="grid gap-4">{children}</div>
      <p className="text-sm">
        <button type="button" className="link" onClick={onRecover}>
          Owner recovery
        </button>
      </p>
    </AuthPage>
  );
}

function RecoveryLead() {
  return (
    <>
      On the server, <code>./bursar owners reset</code> gives an owner a new password, which works
      for 24 hours.
    </>
  );
}

/** Opens an address of the console with its query and hash. */
export function OpenPage({ to }: { to: string }) {
  useEffect(() => void openConsole(to), [to]);
  return null;
}
