import type { TelemetrySignal } from "@bursar/contract/telemetry-signals.ts";
import type { GuardedClient } from "#src/lib/guarded-client.ts";
import type { Receiver } from "./receiver.ts";

/** A message of OTLP that receivers get. */
export interface MarkedExport {
  signal: TelemetrySignal;
  contentType: "application/json" | "application/x-protobuf";
  body: Buffer;
}

/** Answer of a receiver to one export. */
export interface SentExport {
  isAccepted: boolean;
  /** HTTP status. Null: no response. */
  status: number | null;
  /** Null: accepted. */
  reason: string | null;
  /** Beginning of the response's body. */
  text: string;
}

/** Sends one export. Never throws for failures of the receiver or the network. */
export async function sendExport(
  client: Pick<GuardedClient, "post">,
  { url, headers }: Pick<Receiver, "url" | "headers">,
  { signal, contentType, body }: MarkedExport,
): Promise<SentExport> {
  if (headers === null) {
    const reason = "Its headers cannot be decrypted. Set them again.";
    return { isAccepted: false, status: null, reason, text: "" };
  }
  const answer = await client.post({
    url: `${url}/v1/${signal}`,
    headers: { ...headers, "content-type": contentType },
    body,
  });
  if (answer.kind !== "answered") {
    return { isAccepted: false, status: null, reason: answer.reason, text: "" };
  }
  const { status, text } = answer;
  const isAccepted = status >= 200 && status < 300;
  const reason = isAccepted ? null : `HTTP ${status}.${isRedirect(status) ? REDIRECT : ""}`;
  return { isAccepted, status, reason, text };
}

const REDIRECT = " Redirects are not followed.";

function isRedirect(status: number): boolean {
  return status >= 300 && status < 400;
}
