import { useBlocker } from "@tanstack/react-router";
import { ConfirmDialog } from "./dialog.tsx";

/** Asks before navigation leaves a page whose form has unsaved changes. */
export function UnsavedGuard({ isDirty }: { isDirty: boolean }) {
  const leaving = useBlocker({
    shouldBlockFn: ({ current, next }) => current.pathname !== next.pathname,
    enableBeforeUnload: isDirty,
    disabled: !isDirty,
    withResolver: true,
  });
  return (
    <ConfirmDialog
      title="Discard changes"
      action="Discard changes"
      isOpen={leaving.status === "blocked"}
      onClose={() => leaving.reset?.()}
      onConfirm={() => leaving.proceed?.()}
      isBusy={false}
      error={null}
    >
      <p>Changes on this page are not saved. They are lost when you leave the page.</p>
    </ConfirmDialog>
  );
}
