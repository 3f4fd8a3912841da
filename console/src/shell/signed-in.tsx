import { Navigate, useLocation } from "@tanstack/react-router";
import { useEffect } from "react";
import { signOuts } from "../connection.ts";
import { useObservable } from "../observable.ts";
import { queryClient } from "../queries.ts";
import { useSessionQuery } from "../session.ts";
import { ErrorState } from "../ui/states.tsx";
import { Brand } from "./brand.tsx";
import { Shell } from "./shell.tsx";

/** The shell for who is signed in; others go to the sign-in and come back to where they were. */
export function SignedIn() {
  const session = useSessionQuery();
  const { href } = useLocation();
  const count = useObservable(signOuts);
  useEffect(() => {
    if (count > 0) void queryClient.invalidateQueries({ queryKey: ["getSession"] });
  }, [count]);
  if (session.data) return <Shell />;
  if (session.data === null) {
    return <Navigate to="/login" search={toNext(href)} replace />;
  }
  return (
    <main className="mx-auto grid min-h-dvh max-w-md content-center gap-6 px-6">
      <Brand className="after-a-moment mx-auto" />
      {session.error && <ErrorState error={session.error} onRetry={() => void session.refetch()} />}
    </main>
  );
}

function toNext(href: string): { next?: string } {
  return href === "/" ? {} : { next: href };
}
