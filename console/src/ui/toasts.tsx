import { Suspense, useEffect, useState } from "react";
import { lazyPart } from "../load-part.ts";
import { useObservable } from "../observable.ts";
import { toastQueue } from "./toast.ts";

const ToastStack = lazyPart(() => import("./toast-stack.tsx"), "ToastStack");

/** Place of the toasts, once in the application. The stack is loaded with the first toast. */
export function Toasts() {
  const isWanted = useObservable(toastQueue).length > 0;
  const [isThere, setIsThere] = useState(false);
  useEffect(() => {
    if (isWanted) setIsThere(true);
  }, [isWanted]);
  return <Suspense fallback={null}>{isThere && <ToastStack />}</Suspense>;
}
