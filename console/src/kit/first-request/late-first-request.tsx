import { type ComponentProps, Suspense } from "react";
import { lazyPart } from "../../load-part.ts";
import type { SendFirstRequest } from "./send-first-request.tsx";

const Late = lazyPart(() => import("./send-first-request.tsx"), "SendFirstRequest");

/** `SendFirstRequest`, whose code loads when it is first needed. Most visits of the pages of keys create no key. */
export function LateFirstRequest(props: ComponentProps<typeof SendFirstRequest>) {
  return (
    <Suspense fallback={<div className="min-h-96" />}>
      <Late {...props} />
    </Suspense>
  );
}
