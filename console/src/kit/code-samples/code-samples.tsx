import { useState } from "react";
import { CodeBlock } from "../../ui/code-block.tsx";
import { Segments } from "../../ui/tabs.tsx";
import { KeyStoreSample } from "./key-store-sample.tsx";
import type { MessageRequest } from "./message-request.ts";
import { useBaseUrl } from "./use-base-url.ts";
import { type Client, type CodeBlockText, usualClients, writeCode } from "./write-code.ts";

interface CodeSamplesProps {
  /** The first one is shown first. */
  clients?: readonly [Client, ...Client[]];
  /** Key that the samples set in variables. Null: the reader has set them already. */
  secret: string | null;
  request: MessageRequest;
  hasFixedModel?: boolean;
  /** Shows how the system stores the key. Default: with a secret. */
  hasKeyStore?: boolean;
}

/** Samples that call Claude through this server, one client at a time. */
export function CodeSamples(props: CodeSamplesProps) {
  const { clients = usualClients, secret, hasKeyStore = secret !== null, ...options } = props;
  const [client, setClient] = useState<Client>(clients[0]);
  const baseUrl = useBaseUrl();
  return (
    <div className="grid gap-3">
      {clients.length > 1 && (
        <div>
          <Segments
            label="Client"
            value={client}
            options={clients.map((each) => [each, each])}
            onChange={setClient}
          />
        </div>
      )}
      {writeCode(client, { baseUrl, secret, ...options }).map((block) => (
        <div key={block.file?.name ?? ""} className="grid gap-1.5">
          <p className="text-sm text-quiet">{describePlace(block)}</p>
          <CodeBlock what="code" text={block.text} />
        </div>
      ))}
      {client === "Claude Code" && hasKeyStore && (
        <details>
          <summary className="target w-fit rounded-sm text-sm font-medium text-accent">
            Keep the key in the system’s store
          </summary>
          <div className="mt-3">
            <KeyStoreSample baseUrl={baseUrl} />
          </div>
        </details>
      )}
    </div>
  );
}

/** Place of the text: a terminal, or a file with the command that runs it. */
function describePlace({ file }: CodeBlockText): string {
  return file === null ? "In a terminal" : `${file.name}, run with ${file.command}`;
}
