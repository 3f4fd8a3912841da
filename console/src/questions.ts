import { makeObservable, type Observable } from "./observable.ts";
import { isDialogOpen } from "./ui/open-dialog.ts";

// Questions that a call waits for: a step-up, or a new sign-in. A dialog of the shell shows the question and answers it.

export interface Question {
  finish(isAnswered: boolean): void;
}

interface Asking {
  /** The open question, or null. */
  open: Observable<Question | null>;
  /** Opens one question for all waiting calls. Resolves to true if the member completed it. */
  ask(): Promise<boolean>;
}

/** Asks for the password or a passkey before a sensitive change. */
export const stepUpQuestion = makeQuestion();
/** Asks for a new sign-in after the session ended. */
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

/** Enables sign-in questions, until the returned function is called. */
export function enableSignInQuestion(): () => void {
  isShellThere = true;
  return () => {
    isShellThere = false;
    signInQuestion.open.get()?.finish(false);
  };
}

/**
 * Asks for a new sign-in if the sign-in page would lose input: a change that was just sent, or a form in a dialog.
 * Resolves to true after a sign-in, and to false at once without input to lose.
 */
export async function requestSignIn(isChange: boolean): Promise<boolean> {
  if (!isShellThere) return false;
  const isAsked = signInQuestion.open.get() !== null;
  if (!isAsked && !isChange && !isDialogOpen()) return false;
  return signInQuestion.ask();
}
