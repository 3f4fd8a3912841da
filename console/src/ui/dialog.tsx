import { type ReactNode, use, useEffect, useId, useState } from "react";
import { Button } from "./button.tsx";
import type { DialogProps } from "./dialog-popup.tsx";
import { Input } from "./input.tsx";
import { DialogContext } from "./overlay-context.ts";
import { useOverlays } from "./overlays.ts";
import { FormError } from "./states.tsx";

/** A dialog, which is loaded when one first opens. */
export function Dialog(props: DialogProps) {
  const [wasOpen, setWasOpen] = useState(props.isOpen);
  if (props.isOpen && !wasOpen) setWasOpen(true);
  const overlays = useOverlays(props.isOpen);
  // A closed dialog stays, so that its end is drawn.
  return overlays && wasOpen ? <overlays.DialogPopup {...props} /> : null;
}

/** Buttons at the end of a dialog. The last one runs the action of the title. */
export function DialogActions({ children }: { children: ReactNode }) {
  return <div className="flex flex-wrap justify-end gap-2.5 pt-1">{children}</div>;
}

/** Closes the dialog as Escape does, with a question if the member has entered something. */
export function CancelButton({ children = "Cancel" }: { children?: ReactNode }) {
  const dialog = use(DialogContext);
  if (!dialog) throw new Error("a cancel button is in a dialog");
  return <dialog.Close render={<Button>{children}</Button>} />;
}

interface ConfirmProps {
  title: string;
  /** Label of the button, the same as the title. */
  action: string;
  isOpen: boolean;
  onClose: () => void;
  onConfirm: () => void;
  isBusy: boolean;
  /** True while the effect is unknown. */
  isDisabled?: boolean;
  error: Error | null;
  /** Effect of the action, with the number of affected things. */
  children: ReactNode;
  /** Text that must be typed first. */
  typed?: string | undefined;
  /** Button between cancel and the action, for another way to do the same. */
  renderSecondAction?: (isConfirmed: boolean) => ReactNode;
}

/** Asks before a harmful action. */
export function ConfirmDialog(props: ConfirmProps) {
  const { title, action, isOpen, onClose, onConfirm, isBusy, error, children, typed } = props;
  const [text, setText] = useState("");
  const typedId = useId();
  useEffect(() => {
    if (isOpen) setText("");
  }, [isOpen]);
  const isConfirmed = !props.isDisabled && (typed === undefined || text.trim() === typed);
  return (
    <Dialog title={title} isOpen={isOpen} isForgetful onClose={onClose}>
      <form
        className="grid gap-5"
        onSubmit={(event) => {
          event.preventDefault();
          if (isConfirmed) onConfirm();
        }}
      >
        <div className="grid gap-3 text-quiet">{children}</div>
        {typed !== undefined && (
          <div className="grid gap-1.5 text-sm">
            <label htmlFor={typedId}>
              Type <strong className="font-semibold select-all">{typed}</strong> to confirm
            </label>
            <Input
              id={typedId}
              value={text}
              onChange={(event) => setText(event.target.value)}
              autoCapitalize="none"
              spellCheck={false}
            />
          </div>
        )}
        <FormError error={error} />
        <DialogActions>
          <CancelButton />
          {props.renderSecondAction?.(isConfirmed)}
          <Button kind="danger" type="submit" isBusy={isBusy} disabled={!isConfirmed}>
            {action}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
