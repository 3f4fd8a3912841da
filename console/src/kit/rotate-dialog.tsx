import type { ReactNode } from "react";
import type { Answer, Input, Operation } from "../api-client.ts";
import { Dialog } from "../ui/dialog.tsx";
import { DialogForm } from "../ui/dialog-form.tsx";
import { Choices } from "../ui/input.tsx";
import { Consequences } from "./consequences/consequences.tsx";
import { type FormChange, useChangeForm } from "./use-change-form.ts";

/** Time for which the old secret works, in seconds, with its label and its purpose. */
export type GracePeriod = readonly [seconds: number, label: string, hint: string];

const DAY_S = 86_400;

interface RotateDialogProps<O extends Operation> {
  /** Title and button, such as "Rotate key". */
  action: string;
  description: string;
  /** Label of the choice, such as "Old secret expires". */
  legend: string;
  /** One of them is a day, which is chosen first. */
  gracePeriods: readonly GracePeriod[];
  change: FormChange<O>;
  toInput: (graceSeconds: number) => Input<O>;
  /** Receives the new secret, to show it once. Do not store it. */
  onRotated: (answer: Answer<O>) => void;
  onClose: () => void;
  /** Effects of an old secret that ends at once, as sentences. */
  endsNow?: readonly string[];
  /** Notes below the choice. */
  children?: ReactNode;
}

/** Creates a new secret. The old one works until the grace period ends. */
export function RotateDialog<O extends Operation>(props: RotateDialogProps<O>) {
  const { action, description, legend, gracePeriods, change, toInput, onRotated, onClose } = props;
  const changeForm = useChangeForm(change, {
    defaultValues: { grace: String(DAY_S) },
    toInput: ({ grace }) => toInput(Number(grace)),
    onSaved: onRotated,
  });
  const { form } = changeForm;
  return (
    <Dialog title={action} description={description} isOpen onClose={onClose}>
      <DialogForm form={changeForm} action={action}>
        <Choices
          legend={legend}
          name="grace"
          value={form.watch("grace")}
          onChange={(grace) => form.setValue("grace", grace)}
          choices={gracePeriods.map(([seconds, label, hint]) => {
            return { value: String(seconds), label, hint };
          })}
        />
        {props.children}
        {form.watch("grace") === "0" && <Consequences sentences={props.endsNow ?? []} />}
      </DialogForm>
    </Dialog>
  );
}
