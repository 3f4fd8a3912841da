import { Dialog as Base } from "@base-ui/react/dialog";
import { useRouter } from "@tanstack/react-router";
import { X } from "lucide-react";
import { type ReactNode, type RefObject, useEffect, useRef, useState } from "react";
import { Button, IconButton } from "./button.tsx";
import { classNames } from "./class-names.ts";
import { DialogContext } from "./overlay-context.ts";
import { useTypedInput } from "./typed-input.ts";

export interface DialogProps {
  title: string;
  description?: ReactNode;
  isOpen: boolean;
  /** Called on Escape, the close button, or a press outside. */
  onClose: () => void;
  /** Shows the dialog as a sheet at the side, with full height. */
  isDrawer?: boolean;
  /** Only a button of the dialog closes it. Escape and a press outside do nothing. */
  isGuarded?: boolean;
  /** Closes without a question, because its input is not worth saving: a search, a password. */
  isForgetful?: boolean;
  isWide?: boolean;
  /** Has room for fields with a preview beside them. */
  isDouble?: boolean;
  initialFocus?: RefObject<HTMLElement | null>;
  children: ReactNode;
}

const centred =
  "fixed top-[8dvh] left-1/2 max-h-[min(52rem,calc(92dvh-1rem))] w-[calc(100vw-2rem)] -translate-x-1/2 rounded-lg " +
  "data-ending-style:scale-[0.985] data-starting-style:scale-[0.985] max-sm:top-4 max-sm:max-h-[calc(100dvh-2rem)]";
const atSide =
  "fixed inset-y-0 right-0 w-[min(36rem,100vw)] border-y-0 border-r-0 data-ending-style:translate-x-8 " +
  "data-starting-style:translate-x-8";

/**
 * Keeps the focus inside while it is open, and returns the focus when it closes. If the member has entered something,
 * the dialog asks before it closes or the page is left. The parent sets `isOpen` to false after a completed change.
 */
export function DialogPopup(props: DialogProps) {
  const { title, description, isOpen, onClose, isDrawer, isGuarded, children } = props;
  const [isLeaving, setIsLeaving] = useState(false);
  const popup = useRef<HTMLDivElement>(null);
  const { handlers, hasTyped, forget } = useTypedInput(popup);
  const hasUnsavedInput = () => props.isForgetful !== true && hasTyped();
  useEffect(() => {
    if (isOpen) return;
    forget();
    setIsLeaving(false);
  }, [isOpen, forget]);
  useLeaveGuard(isOpen, () => {
    if (isGuarded) return true;
    if (!hasUnsavedInput()) return false;
    setIsLeaving(true);
    return true;
  });
  return (
    <Base.Root
      open={isOpen}
      disablePointerDismissal={isGuarded === true}
      onOpenChange={(open, details) => {
        if (open) return;
        if (isGuarded) details.cancel();
        else if (hasUnsavedInput()) {
          details.cancel();
          setIsLeaving(true);
        } else onClose();
      }}
    >
      <Base.Portal>
        <Base.Backdrop className="fixed inset-0 z-40 bg-veil transition-opacity duration-150 data-ending-style:opacity-0 data-starting-style:opacity-0" />
        <Base.Popup
          ref={popup}
          {...handlers}
          initialFocus={props.initialFocus ?? ((how) => findFirstField(popup.current, how))}
          className={classNames(
            "z-50 flex flex-col border border-line bg-paper shadow-popup outline-none",
            "transition-[opacity,scale,translate] duration-150 data-ending-style:opacity-0 data-starting-style:opacity-0",
            isDrawer ? atSide : centred,
            !isDrawer && findWidth(props),
          )}
        >
          <header className="flex items-start gap-4 px-5 pt-4 pb-3 sm:px-6">
            <div className="grid flex-1 gap-1 pt-0.5">
              <Base.Title className="font-serif text-xl font-[560]">{title}</Base.Title>
              {description && (
                <Base.Description className="text-sm text-quiet" render={<div />}>
                  {description}
                </Base.Description>
              )}
            </div>
            {!isGuarded && (
              <Base.Close render={<IconButton label="Close" className="-mr-2" />}>
                <X size={18} />
              </Base.Close>
            )}
          </header>
          <div
            data-dialog-body
            className="grid gap-5 overflow-y-auto px-5 pt-1 pb-5 sm:px-6 sm:pb-6"
          >
            <DialogContext value={{ Close: Base.Close }}>{children}</DialogContext>
          </div>
          {isLeaving && (
            <div
              role="alert"
              className="flex flex-wrap items-center gap-2.5 rounded-b-lg border-t border-line bg-warn-wash px-5 py-3 sm:px-6"
            >
              <p className="flex-1 basis-40 text-sm font-medium text-warn">
                Your changes are not saved.
              </p>
              <Button autoFocus onClick={() => setIsLeaving(false)}>
                Keep editing
              </Button>
              <Button
                kind="danger"
                onClick={() => {
                  setIsLeaving(false);
                  onClose();
                }}
              >
                Discard changes
              </Button>
            </div>
          )}
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  );
}

function findWidth({ isWide, isDouble }: DialogProps): string {
  if (isDouble) return "sm:max-w-2xl lg:max-w-4xl";
  return isWide ? "sm:max-w-2xl" : "sm:max-w-lg";
}

const FIELDS = "input:not([type=hidden],[type=radio],[type=checkbox],:disabled), textarea, select";

/** Element with the initial focus: the first field. On touch screens, the keyboard would cover half of the dialog. */
function findFirstField(popup: HTMLElement | null, how: string): HTMLElement | true {
  if (how === "touch") return true;
  return popup?.querySelector<HTMLElement>(FIELDS) ?? true;
}

/**
 * Calls `mustStay` before the back button leaves the page, and before the tab is closed or opens another site. In the
 * second case, the browser shows its own question. Links of the page are not reachable behind a dialog.
 */
function useLeaveGuard(isOn: boolean, mustStay: () => boolean): void {
  const { history } = useRouter();
  const latest = useRef(mustStay);
  useEffect(() => {
    latest.current = mustStay;
  });
  useEffect(() => {
    if (!isOn) return;
    return history.block({
      blockerFn: ({ action }) =>
        action !== "PUSH" && action !== "REPLACE" ? latest.current() : false,
      enableBeforeUnload: () => latest.current(),
    });
  }, [isOn, history]);
}
