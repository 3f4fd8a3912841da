import { Navigate, useRouter, useSearch } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { AuthPage } from "../../kit/sign-in/auth-page.tsx";
import { useApi } from "../../queries.ts";
import { startSession, useSessionQuery } from "../../session.ts";
import { DirectoryButtons } from "./directory-buttons.tsx";
import { SignInSteps } from "./sign-in-steps.tsx";

/** Sign-in with password, passkey, directory and second factor, then the requested page. */
export function LoginPage() {
  const { next }: { next?: string } = useSearch({ strict: false });
  const session = useSessionQuery();
  const setUp = useApi("getSetUp", {});
  const directories = useApi("listSignInDirectories", {});
  const [isRecovering, setIsRecovering] = useState(false);
  if (session.data) return <OpenPage to={next ?? "/"} />;
  if (setUp.data?.is_open) return <Navigate to="/setup" replace />;
  const lead = next !== undefined && "After sign-in you return to your page.";
  if (directories.data?.company_sign_in_only) {
    if (!isRecovering) {
      return <CompanySignInPage next={next ?? null} onRecover={() => setIsRecovering(true)} />;
    }
    return (
      <SignInSteps title="Owner recovery" lead={<RecoveryLead />} onSignedIn={startSession}>
        <DirectoryButtons next={next ?? null} />
      </SignInSteps>
    );
  }
  return (
    <SignInSteps title="Sign in" lead={lead} onSignedIn={startSession}>
      <DirectoryButtons next={next ?? null} />
    </SignInSteps>
  );
}

/** Sign-in where each organization of the server requires a directory. */
function CompanySignInPage(props: { next: string | null; onRecover: () => void }) {
  return (
    <AuthPage title="Sign in" lead="Use your company account.">
      <div className="grid gap-4">
        <DirectoryButtons next={props.next} />
      </div>
      <p className="text-sm">
        <button type="button" className="link" onClick={props.onRecover}>
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

/** Opens an address with its query and hash. */
export function OpenPage({ to }: { to: string }) {
  const router = useRouter();
  useEffect(() => {
    void router.navigate({ href: to, replace: true });
  }, [router, to]);
  return null;
}
