import { useState } from "react";
import { useObservable } from "../../observable.ts";
import { signOut } from "../../session.ts";
import { ConfirmDialog } from "../../ui/dialog.tsx";
import { delayedChanges } from "./delay-change.ts";

/** Asks before a sign-out that drops changes which still wait. */
export function SignOutDialog({ onClose }: { onClose: () => void }) {
  const changes = useObservable(delayedChanges.all);
  const [isBusy, setIsBusy] = useState(false);
  const confirmSignOut = () => {
    setIsBusy(true);
    delayedChanges.dropAll();
    void signOut();
  };
  return (
    <ConfirmDialog
      title="Sign out"
      action="Sign out"
      isOpen
      onClose={onClose}
      onConfirm={confirmSignOut}
      isBusy={isBusy}
      error={null}
    >
      {changes.length === 0 ? (
        <p>No change waits any more.</p>
      ) : (
        <>
          <p>These changes wait, and are not made if you sign out now:</p>
          <ul className="list-disc pl-5 text-ink">
            {changes.map(({ id, name, done }) => (
              <li key={id}>
                {name} will be {done}
              </li>
            ))}
          </ul>
        </>
      )}
    </ConfirmDialog>
  );
}
