import { Navigate, useRouter, useSearch } from "@tanstack/react-router";
import { useEffect } from "react";
import { useApi } from "../../queries.ts";
import { startSession, useSessionQuery } from "../../session.ts";
import { DirectoryButtons } from "./directory-buttons.tsx";
import { SignInSteps } from "./sign-in-steps.tsx";

/** Sign-in with password, passkey, directory and second factor, then the requested page. */
export function LoginPage() {
  const { next }: { next?: string } = useSearch({ strict: false });
  const session = useSessionQuery();
  const setUp = useApi("getSetUp", {});
  if (session.data) return <OpenPage to={next ?? "/"} />;
  if (setUp.data?.is_open) return <Navigate to="/setup" replace />;
  const lead = next !== undefined && "After sign-in you return to your page.";
  return (
    <SignInSteps title="Sign in" lead={lead} onSignedIn={startSession}>
      <DirectoryButtons next={next ?? null} />
    </SignInSteps>
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
