import { type ReactNode, useEffect } from "react";
import { type Client, KEY_PLACEHOLDER } from "../../kit/code-samples/write-code.ts";
import { LoadError } from "../../kit/error-pages.tsx";
import { FirstRequestReport } from "../../kit/first-request/first-request-report.tsx";
import { KeySamples } from "../../kit/first-request/key-samples.tsx";
import { useFirstRequest } from "../../kit/first-request/use-first-request.ts";
import { usePersonalKeyOptions } from "../../kit/personal-keys/queries.ts";
import { Section } from "../../ui/page.tsx";
import { SkeletonRows } from "../../ui/states.tsx";
import { KeyStep } from "./key-step.tsx";
import type { KeyChoice } from "./use-key-choice.ts";

interface ClientTabProps {
  clients: readonly [Client, ...Client[]];
  choice: KeyChoice;
  /** Shown below, when the rest is loaded. */
  children: ReactNode;
}

/** Steps for clients with a key: the key, the code, and the first request. */
export function ClientTab({ clients, choice, children }: ClientTabProps) {
  const options = usePersonalKeyOptions();
  const error = choice.error ?? (options.data ? null : options.error);
  if (error) return <LoadError error={error} onRetry={() => void options.refetch()} />;
  if (!choice.keys || !options.data) return <SkeletonRows />;
  const { chosen, secret, isUnused, onUsed } = choice;
  return (
    <>
      <KeyStep choice={choice} options={options.data} />
      <Section title="Code" lead={describeSecret(secret, clients[0])}>
        <KeySamples apiKey={chosen} secret={secret ?? KEY_PLACEHOLDER} clients={clients} />
      </Section>
      {chosen && (
        <Section title="First request">
          <ReportOfKey
            key={chosen.id}
            apiKeyId={chosen.id}
            isUnused={isUnused}
            onAnswered={onUsed}
          />
        </Section>
      )}
      {children}
    </>
  );
}

function describeSecret(secret: string | null, client: Client): string {
  if (secret !== null) return "The code contains your new key until you leave this page.";
  const where = client.startsWith("Claude Code") ? "in the commands" : "in the code";
  return `Replace ${KEY_PLACEHOLDER} ${where} with the secret of your key.`;
}

interface ReportOfKeyProps {
  apiKeyId: string;
  isUnused: boolean;
  onAnswered: () => void;
}

function ReportOfKey({ apiKeyId, isUnused, onAnswered }: ReportOfKeyProps) {
  const wait = useFirstRequest({ apiKeyIds: [apiKeyId], isUnused });
  const { isAnswered } = wait;
  // biome-ignore lint/correctness/useExhaustiveDependencies: an answer is reported once.
  useEffect(() => {
    if (isAnswered) onAnswered();
  }, [isAnswered]);
  return <FirstRequestReport wait={wait} />;
}
