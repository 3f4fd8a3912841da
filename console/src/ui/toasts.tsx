import { Suspense, useEffect, useState } from "react";
import { lazyPart } from "../load-part.ts";
import { useObservable } from "../observable.ts";
import { toastQueue } from "./toast.ts";

const ToastStack = lazyPart(() => import("./toast-stack.tsx"), "ToastStack");

/** Where toasts appear; once in the application. What shows them is loaded with the first. */
export function Toasts() {
  const isWanted = useObservable(toastQueue).length > 0;
  const [isThere, setIsThere] = useState(false);
  useEffect(() => {
    if (isWanted) setIsThere(true);
  }, [isWanted]);
  return <Suspense fallback={null}>{isThere && <ToastStack />}</Suspense>;
}
