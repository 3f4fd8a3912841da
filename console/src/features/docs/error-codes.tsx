import { Suspense, useState } from "react";
import { lazyPart } from "../../load-part.ts";
import { Button } from "../../ui/button.tsx";
import { SkeletonRows } from "../../ui/states.tsx";

const ErrorCodeTable = lazyPart(() => import("./error-code-table.tsx"), "ErrorCodeTable");

/** All error codes. The table is loaded when it is first opened. */
export function ErrorCodes() {
  const [isOpen, setIsOpen] = useState(false);
  return (
    <section className="grid content-start gap-4">
      <div>
        <h2 id="error-codes" className="scroll-mt-20 text-xl">
          Error codes
        </h2>
        <p className="mt-0.5 max-w-2xl text-sm text-quiet">
          The cause of a refusal is in <code>error.details.error_code</code>. New codes may be
          added. Errors of the Claude API itself pass unchanged, and may have no code.
        </p>
      </div>
      {isOpen ? (
        <Suspense fallback={<SkeletonRows />}>
          <ErrorCodeTable />
        </Suspense>
      ) : (
        <div>
          <Button onClick={() => setIsOpen(true)}>Show all codes</Button>
        </div>
      )}
    </section>
  );
}
