import { useState } from "react";
import { useSession } from "../../session.ts";
import { CodeBlock } from "../../ui/code-block.tsx";
import { Segments } from "../../ui/tabs.tsx";
import { KeyStoreSample } from "./key-store-sample.tsx";
import type { MessageRequest } from "./message-request.ts";
import { clients as allClients, type Client, writeCode } from "./write-code.ts";

interface CodeSamplesProps {
  /** The first one is shown first. */
  clients?: readonly [Client, ...Client[]];
  /** Key that the samples set in variables. Null: the reader has set them already. */
  secret: string | null;
  request: MessageRequest;
  hasFixedModel?: boolean;
}

/** Samples that call Claude through this server, one client at a time. */
export function CodeSamples({ clients = allClients, secret, ...options }: CodeSamplesProps) {
  const [client, setClient] = useState<Client>(clients[0]);
  const baseUrl = useBaseUrl();
  return (
    <div className="grid gap-3">
      <div>
        <Segments
          label="Client"
          value={client}
          options={clients.map((each) => [each, each])}
          onChange={setClient}
        />
      </div>
      {writeCode(client, { baseUrl, secret, ...options }).map(({ title, text }) => (
        <div key={title} className="grid gap-1.5">
          <p className="text-sm text-quiet">{title}</p>
          <CodeBlock what="code" text={text} />
        </div>
      ))}
      {client === "Claude Code" && secret !== null && <KeyStoreSample baseUrl={baseUrl} />}
    </div>
  );
}

/** Address of this server for programs: its public URL, else the origin of this page. */
export function useBaseUrl(): string {
  return useSession().public_url ?? location.origin;
}
