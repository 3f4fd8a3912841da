import { lazy, Suspense, useEffect } from "react";
import { useObservable } from "../observable.ts";
import { offerSignIn, signInQuestion, stepUpQuestion } from "../questions.ts";

const StepUpDialog = lazy(() =>
  import("./step-up-dialog.tsx").then((module) => ({ default: module.StepUpDialog })),
);
const SignInAgainDialog = lazy(() =>
  import("./sign-in-again-dialog.tsx").then((module) => ({ default: module.SignInAgainDialog })),
);

/** Dialogs that a call opens, wherever it came from. Rarely needed, so loaded only then. */
export function Questions() {
  const stepUp = useObservable(stepUpQuestion.open);
  const signIn = useObservable(signInQuestion.open);
  useEffect(offerSignIn, []);
  return (
    <Suspense fallback={null}>
      {stepUp && <StepUpDialog question={stepUp} />}
      {signIn && <SignInAgainDialog question={signIn} />}
    </Suspense>
  );
}
