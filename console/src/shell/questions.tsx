import { Suspense, useEffect } from "react";
import { lazyPart } from "../load-part.ts";
import { useObservable } from "../observable.ts";
import { enableSignInQuestion, signInQuestion, stepUpQuestion } from "../questions.ts";

const StepUpDialog = lazyPart(() => import("./step-up-dialog.tsx"), "StepUpDialog");
const SignInAgainDialog = lazyPart(() => import("./sign-in-again-dialog.tsx"), "SignInAgainDialog");

/** Dialogs that any call can open. They are rarely needed, so they are loaded on demand. */
export function Questions() {
  const stepUp = useObservable(stepUpQuestion.open);
  const signIn = useObservable(signInQuestion.open);
  useEffect(enableSignInQuestion, []);
  return (
    <Suspense fallback={null}>
      {stepUp && <StepUpDialog question={stepUp} />}
      {signIn && <SignInAgainDialog question={signIn} />}
    </Suspense>
  );
}
