import { Suspense, useEffect, useState } from "react";
import { lazyPart } from "../load-part.ts";
import { useObservable } from "../observable.ts";
import { notices, toastQueue } from "./toast.ts";

const ToastStack = lazyPart(() => import("./toast-stack.tsx"), "ToastStack");

/** Place of the toasts and notices, once in the application. The stack is loaded with the first one. */
export function Toasts() {
  const hasToasts = useObservable(toastQueue).length > 0;
  const hasNotices = useObservable(notices).length > 0;
  const isWanted = hasToasts || hasNotices;
  const [isThere, setIsThere] = useState(false);
  useEffect(() => {
    if (isWanted) setIsThere(true);
  }, [isWanted]);
  return <Suspense fallback={null}>{isThere && <ToastStack />}</Suspense>;
}
