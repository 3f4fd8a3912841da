import type { ReactNode } from "react";
import type { Input, Operation } from "../../api-client.ts";
import { Button } from "../../ui/button.tsx";
import { ConfirmDialog } from "../../ui/dialog.tsx";
import { showToast } from "../../ui/toast.ts";
import { delayChange } from "./delay-change.ts";

/** Part of `useChange` that the dialog needs. Declared as a method, so that a dialog can have one of two operations. */
export interface StoppingChange<O extends Operation> {
  operation: O;
  staleOperations: readonly Operation[];
  mutate(input: Input<O>, options: { onSuccess: () => void }): void;
  isPending: boolean;
  error: Error | null;
}

interface ConfirmDelayedProps<O extends Operation> {
  change: StoppingChange<O>;
  input: Input<O>;
  /** Verb and object: "Disable key". */
  action: string;
  /** Button without the delay: "Disable now". */
  urgentAction: string;
  /** Id of what changes. */
  subject: string;
  /** Subject of a sentence: "Key “ci”". */
  name: string;
  /** Participle: "disabled". */
  done: string;
  /** Second line of the toast. */
  toastDetail?: string;
  isOpen?: boolean;
  onClose: () => void;
  /** Called when the change waits or is made. */
  onConfirmed?: () => void;
  /** True while the effect of the change is unknown. */
  isDisabled?: boolean;
  /** Text that must be typed first. */
  typed?: string | undefined;
  children: ReactNode;
}

/** Dialog before a change that stops something. The change waits ten seconds, or is sent at once on request. */
export function ConfirmDelayedChange<O extends Operation>(props: ConfirmDelayedProps<O>) {
  const { change, input, action, subject, name, done, toastDetail, isOpen = true, onClose } = props;
  const confirmDelayed = async () => {
    const isDelayed = await delayChange({ change, input, subject, name, done, toastDetail });
    if (!isDelayed) return;
    props.onConfirmed?.();
    onClose();
  };
  const sendNow = () =>
    change.mutate(input, {
      onSuccess: () => {
        showToast(`${name} ${done}`, toastDetail);
        props.onConfirmed?.();
        onClose();
      },
    });
  return (
    <ConfirmDialog
      title={action}
      action={action}
      isOpen={isOpen}
      onClose={onClose}
      typed={props.typed}
      isBusy={false}
      isDisabled={(props.isDisabled ?? false) || change.isPending}
      error={change.error}
      onConfirm={() => void confirmDelayed()}
      renderSecondAction={(isConfirmed) => (
        <Button onClick={sendNow} isBusy={change.isPending} disabled={!isConfirmed}>
          {props.urgentAction}
        </Button>
      )}
    >
      {props.children}
      <p>
        “{action}” waits 10 seconds, and you can undo it. “{props.urgentAction}” does not wait.
      </p>
    </ConfirmDialog>
  );
}
