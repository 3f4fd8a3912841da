import { useRouter } from "@tanstack/react-router";
import { type ReactNode, Suspense, useEffect, useState } from "react";
import { sessionChangeCount } from "../connection.ts";
import { Brand } from "../kit/brand.tsx";
import { ConnectionBanner } from "../kit/connection-banner.tsx";
import { lazyPart } from "../load-part.ts";
import { useObservable } from "../observable.ts";
import { queryClient } from "../queries.ts";
import { openSignIn, type Session, SessionContext, useSessionQuery } from "../session.ts";
import { ErrorState } from "../ui/states.tsx";
import { Shell } from "./shell.tsx";

const SecondFactorScreen = lazyPart(
  () => import("./second-factor-screen.tsx"),
  "SecondFactorScreen",
);

/**
 * The shell for a signed-in member. Other visitors go to the sign-in page, which returns them to this address, unless the
 * page has a frame for visitors.
 */
export function SignedIn({ visitor }: { visitor?: ReactNode }) {
  const session = useSessionQuery();
  const count = useObservable(sessionChangeCount);
  const setUp = useSecondFactorSetUp(session.data ?? null);
  useEffect(() => {
    if (count > 0) void queryClient.invalidateQueries({ queryKey: ["getSession"] });
  }, [count]);
  if (setUp.isOpen) {
    return (
      <SessionContext value={session.data ?? null}>
        <Suspense fallback={null}>
          <SecondFactorScreen onDone={setUp.close} />
        </Suspense>
      </SessionContext>
    );
  }
  if (session.data) {
    return (
      <SessionContext value={session.data}>
        <Shell />
      </SessionContext>
    );
  }
  if (session.data === null) return visitor ?? <SignInRedirect />;
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
 * The set-up of a required second factor. The screen stays open until the backup codes are stored, although the
 * session has all its rights before.
 */
function useSecondFactorSetUp(session: Session | null): { isOpen: boolean; close: () => void } {
  const [isStarted, setIsStarted] = useState(false);
  const isRequired = session?.is_second_factor_required ?? false;
  const factors = session?.two_factor;
  const hasOne = factors !== undefined && (factors.is_enabled || factors.passkeys > 0);
  const isOpen = isRequired || (isStarted && hasOne);
  if (isOpen !== isStarted) setIsStarted(isOpen);
  return { isOpen, close: () => setIsStarted(false) };
}

/** Opens the sign-in page, with the current address as its target. */
function SignInRedirect() {
  const router = useRouter();
  useEffect(() => {
    const { href } = router.state.location;
    void openSignIn(href === "/" ? null : href);
  }, [router]);
  return <ConnectionBanner />;
}
