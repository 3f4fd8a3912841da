import { useRouter } from "@tanstack/react-router";
import { useEffect } from "react";
import { signOutCount } from "../connection.ts";
import { Brand } from "../kit/brand.tsx";
import { ConnectionBanner } from "../kit/connection-banner.tsx";
import { useObservable } from "../observable.ts";
import { queryClient } from "../queries.ts";
import { useSessionQuery } from "../session.ts";
import { ErrorState } from "../ui/states.tsx";
import { Shell } from "./shell.tsx";

/** The shell for a signed-in member. Other visitors go to the sign-in page, which returns them to this address. */
export function SignedIn() {
  const session = useSessionQuery();
  const count = useObservable(signOutCount);
  useEffect(() => {
    if (count > 0) void queryClient.invalidateQueries({ queryKey: ["getSession"] });
  }, [count]);
  if (session.data) return <Shell />;
  if (session.data === null) return <SignInRedirect />;
  return (
    <>
      <ConnectionBanner />
      <main className="mx-auto grid min-h-dvh max-w-md content-center gap-6 px-6">
        <Brand className="after-a-moment mx-auto" />
        {session.error && (
          <ErrorState error={session.error} onRetry={() => void session.refetch()} />
        )}
      </main>
    </>
  );
}

/**
 * Opens the sign-in page once, with the current address as its target. While that page loads, the address is already
 * its own, so a second navigation would loop.
 */
function SignInRedirect() {
  const router = useRouter();
  useEffect(() => {
    const { href } = router.state.location;
    const search = href === "/" ? {} : { next: href };
    void router.navigate({ to: "/login", search, replace: true });
  }, [router]);
  return null;
}
