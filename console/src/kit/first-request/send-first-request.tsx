import type { ReactNode } from "react";
import { FirstRequestReport } from "./first-request-report.tsx";
import { KeySamples, type SampleKey } from "./key-samples.tsx";
import { useFirstRequest } from "./use-first-request.ts";

interface SendFirstRequestProps {
  apiKey: { id: string } & NonNullable<SampleKey>;
  /** Null: the reader has set the key in a variable. */
  secret: string | null;
  /** Next step, below the report. */
  children?: (isAnswered: boolean) => ReactNode;
}

/** Code that uses a new key, and a report of its first request. */
export function SendFirstRequest({ apiKey, secret, children }: SendFirstRequestProps) {
  const wait = useFirstRequest({ apiKeyIds: [apiKey.id], isUnused: true });
  return (
    <div className="grid gap-4">
      <KeySamples apiKey={apiKey} secret={secret} />
      <FirstRequestReport wait={wait} />
      {children?.(wait.isAnswered)}
    </div>
  );
}
