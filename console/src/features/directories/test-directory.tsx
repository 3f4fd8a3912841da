import { useState } from "react";
import type { Answer } from "../../api-client.ts";
import { Badge } from "../../ui/badge.tsx";
import { Button } from "../../ui/button.tsx";
import { formatPlural } from "../../ui/format.ts";
import { Facts } from "../../ui/page.tsx";
import { FormError } from "../../ui/states.tsx";
import { type Directory, useTestDirectory } from "./queries.ts";

/** Reads the documents of the provider now, and shows the result. */
export function TestDirectory({ directory }: { directory: Directory }) {
  const test = useTestDirectory();
  const [result, setResult] = useState<Answer<"testDirectory"> | null>(null);
  const [error, setError] = useState<Error | null>(null);
  const run = async () => {
    setError(null);
    setResult(null);
    try {
      setResult(await test.mutateAsync({ params: { directory_id: directory.id } }));
    } catch (failure) {
      setError(failure as Error);
    }
  };
  return (
    <div className="grid gap-3">
      <div>
        <Button onClick={() => void run()} isBusy={test.isPending}>
          Test provider
        </Button>
      </div>
      <FormError error={error} />
      {result && (
        <div role="status" className="grid gap-3">
          {result.fault ? (
            <p className="rounded-md bg-bad-wash px-3 py-2 text-sm text-bad">{result.fault}</p>
          ) : (
            <Facts
              items={[
                [
                  "State",
                  <Badge key="state" tone="good">
                    reachable
                  </Badge>,
                ],
                ["Public keys", formatPlural(result.signing_keys, "key")],
                ["Algorithms", result.signing_algorithms.join(", ")],
              ]}
            />
          )}
        </div>
      )}
    </div>
  );
}
