import { type BaseSyntheticEvent, type ReactNode, useState } from "react";
import { Button } from "./button.tsx";
import { classNames } from "./class-names.ts";
import { CancelButton, DialogActions } from "./dialog.tsx";
import { EffectsContext } from "./overlay-context.ts";
import { FormError } from "./states.tsx";

/** Covers the padding of the dialog, so that no field shows below. Browsers place `bottom-0` above that padding. */
const footer =
  "-bottom-5 z-10 -mx-5 -mb-5 grid gap-3 rounded-b-lg border-t border-line bg-paper px-5 pt-3 pb-5 sm:-bottom-6 sm:-mx-6 sm:-mb-6 sm:px-6 sm:pb-6";
/** Keeps the footer in view. Without a list of conflicts, it is lower than the dialog. */
const sticky = "[@media(min-height:32rem)]:sticky";

interface DialogFormProps {
  /** Result of `useChangeForm` in `kit/`. */
  form: { submit: (event?: BaseSyntheticEvent) => void; error: Error | null; isBusy: boolean };
  /** Verb and object: "Create key". */
  action: string;
  isDanger?: boolean;
  isDisabled?: boolean;
  /** Button beside the action. Default: a cancel button. */
  back?: ReactNode;
  /** Replaces the buttons. */
  actions?: ReactNode;
  children: ReactNode;
}

/**
 * Form inside a dialog: fields, effects of the change, errors without a field, and buttons. All but the fields are always
 * in view, except on a very low screen.
 */
export function DialogForm(props: DialogFormProps) {
  const { form, action, isDanger = false, isDisabled = false, back, actions, children } = props;
  const [effects, setEffects] = useState<HTMLElement | null>(null);
  return (
    <form noValidate className="grid gap-5" onSubmit={form.submit}>
      <EffectsContext value={effects}>{children}</EffectsContext>
      <div ref={keepFocusAbove} className={actions ? footer : classNames(footer, sticky)}>
        <div
          ref={setEffects}
          className="hidden max-h-[35dvh] gap-2 overflow-y-auto has-[>:not(:empty)]:grid"
        />
        <FormError error={form.error} />
        {actions ?? (
          <DialogActions>
            {back || <CancelButton />}
            <Button
              kind={isDanger ? "danger" : "primary"}
              type="submit"
              isBusy={form.isBusy}
              disabled={isDisabled}
            >
              {action}
            </Button>
          </DialogActions>
        )}
      </div>
    </form>
  );
}

/** Keeps the focused field above the footer of its form, also when effects appear while a person types. */
function keepFocusAbove(footer: HTMLElement | null) {
  const body = footer?.closest<HTMLElement>("[data-dialog-body]");
  if (!footer || !body) return;
  const observer = new ResizeObserver(() => {
    body.style.scrollPaddingBottom = `${footer.offsetHeight + 8}px`;
    const focused = document.activeElement;
    if (body.contains(focused) && !footer.contains(focused)) {
      focused?.scrollIntoView({ block: "nearest" });
    }
  });
  observer.observe(footer);
  return () => observer.disconnect();
}
