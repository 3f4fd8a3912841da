import type { ReactNode } from "react";
import type { Answer, Input, Operation } from "../api-client.ts";
import type { useChange } from "../queries.ts";
import { ConfirmDialog } from "../ui/dialog.tsx";
import { showToast } from "../ui/toast.ts";

interface ConfirmChangeProps<O extends Operation> {
  change: ReturnType<typeof useChange<O>>;
  input: Input<O>;
  /** Verb and object: "Revoke key". */
  action: string;
  /** Title of the dialog. Default: the action. */
  title?: string;
  toast: string | ((answer: Answer<O>) => string);
  /** Second line of the toast. */
  toastDetail?: string;
  isOpen?: boolean;
  onClose: () => void;
  /** Called after the change, when the dialog is closed. */
  onSaved?: (answer: Answer<O>) => void;
  /** True while the effect of the change is unknown. */
  isDisabled?: boolean;
  /** Text that must be typed first. */
  typed?: string | undefined;
  children: ReactNode;
}

/** Dialog that asks before one harmful change, sends it, and shows a toast after success. */
export function ConfirmChange<O extends Operation>(props: ConfirmChangeProps<O>) {
  const { change, input, action, toast, toastDetail, isOpen = true, onClose, onSaved } = props;
  return (
    <ConfirmDialog
      title={props.title ?? action}
      action={action}
      isOpen={isOpen}
      onClose={onClose}
      typed={props.typed}
      isBusy={change.isPending}
      isDisabled={props.isDisabled ?? false}
      error={change.error}
      onConfirm={() =>
        change.mutate(input, {
          onSuccess: (answer) => {
            showToast(typeof toast === "string" ? toast : toast(answer), toastDetail);
            onClose();
            onSaved?.(answer);
          },
        })
      }
    >
      {props.children}
    </ConfirmDialog>
  );
}
