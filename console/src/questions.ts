import { makeObservable, type Observable } from "./observable.ts";
import { isDialogOpen } from "./ui/open-dialog.ts";

// What the server wants of the person before a call can go on: to confirm who they are, or to sign in again. The call
// that met this waits here; a dialog of the shell asks, and answers it.

export interface Question {
  finish(isAnswered: boolean): void;
}

interface Asking {
  /** The question that is open, or null. */
  open: Observable<Question | null>;
  /** Asks once, however many calls wait for it. Resolves to whether the person did what was asked. */
  ask(): Promise<boolean>;
}

/** A change that can do harm wants the person's password or passkey again. */
export const stepUpQuestion = makeQuestion();
/** The session ended in the middle of something. */
export const signInQuestion = makeQuestion();

function makeQuestion(): Asking {
  const open = makeObservable<Question | null>(null);
  let running: Promise<boolean> | null = null;
  const ask = () => {
    running ??= new Promise<boolean>((resolve) => {
      const finish = (isAnswered: boolean) => {
        open.set(null);
        running = null;
        resolve(isAnswered);
      };
      open.set({ finish });
    });
    return running;
  };
  return { open, ask };
}

let isShellThere = false;

/** The shell is there to ask, until the returned function is called. */
export function offerSignIn(): () => void {
  isShellThere = true;
  return () => {
    isShellThere = false;
    signInQuestion.open.get()?.finish(false);
  };
}

/**
 * Asks to sign in again where leaving for the sign-in would lose something: a change that was just sent, or a form in a
 * dialog. Resolves to whether the person has signed in; false at once where there is nothing to lose.
 */
export async function requestSignIn(isChange: boolean): Promise<boolean> {
  if (!isShellThere) return false;
  const isAsked = signInQuestion.open.get() !== null;
  if (!isAsked && !isChange && !isDialogOpen()) return false;
  return signInQuestion.ask();
}
