import { isServerAway } from "../connection.ts";
import { useObservable } from "../observable.ts";
import { Spinner } from "../ui/button.tsx";

/** Banner while the server does not answer. */
export function ConnectionBanner() {
  const isAway = useObservable(isServerAway);
  return (
    <div role="status">
      {isAway && (
        <p className="flex items-center justify-center gap-3 bg-warn-wash px-4 py-2 text-sm text-warn">
          <Spinner className="size-3.5" />
          The server does not answer. This page may be out of date. Your input is not lost.
        </p>
      )}
    </div>
  );
}
