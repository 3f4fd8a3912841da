import { makeObservable } from "./observable.ts";

// A change that can do harm wants the person's password or passkey again. The call that met this waits here; the dialog
// in shell/step-up-dialog.tsx asks, and answers it.

interface StepUp {
  finish(isConfirmed: boolean): void;
}

/** The question that is open, or null. */
export const openStepUp = makeObservable<StepUp | null>(null);

let running: Promise<boolean> | null = null;

/** Asks once, however many calls wait for it. Resolves to whether the person has confirmed. */
export function askToStepUp(): Promise<boolean> {
  running ??= new Promise<boolean>((resolve) => {
    openStepUp.set({
      finish: (isConfirmed) => {
        openStepUp.set(null);
        running = null;
        resolve(isConfirmed);
      },
    });
  });
  return running;
}
