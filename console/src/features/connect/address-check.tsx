import type { AddressState } from "@bursar/contract/admin/server-address.ts";
import type { Answer } from "../../api-client.ts";
import { Badge } from "../../ui/badge.tsx";
import { CopyIconButton } from "../../ui/copy-button.tsx";
import { Facts, Section } from "../../ui/page.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";

type ServerAddress = Answer<"getServerAddress">;

/** Address and certificate of this server, with the check that Claude Code makes of them. */
export function AddressCheck({ address }: { address: ServerAddress }) {
  const { url, state, certificate } = address;
  return (
    <Section
      title="Server"
      lead="Claude Code signs in over https to a host with private addresses only. Plain http works at localhost, 127.0.0.1 and [::1] only."
    >
      <Facts
        items={[
          ["Address", url ?? "Unknown"],
          [
            "Check",
            <span key="check" className="flex flex-wrap items-baseline gap-x-2 gap-y-1">
              <Badge tone={state === "ready" ? "good" : "warn"}>
                {state === "ready" ? "ready" : "not ready"}
              </Badge>
              <span>{describeState(state, address)}</span>
            </span>,
          ],
          ...(certificate
            ? ([
                ["Fingerprint (SHA-256)", <Fingerprint key="sha256" text={certificate.sha256} />],
                ["Certificate expires", <RelativeTime key="expires" at={certificate.expires_at} />],
              ] as const)
            : []),
        ]}
      />
    </Section>
  );
}

/** Claude Code shows the beginning of the fingerprint, so it is marked. */
function Fingerprint({ text }: { text: string }) {
  return (
    <span className="flex items-start gap-2">
      <code className="min-w-0 break-all">
        <strong>{text.slice(0, SHOWN)}</strong>
        <span className="text-quiet">{text.slice(SHOWN)}</span>
      </code>
      <CopyIconButton text={text} what="fingerprint" />
    </span>
  );
}

const SHOWN = 16;

function describeState(state: AddressState, { url, addresses, certificate }: ServerAddress) {
  const list = addresses.join(", ");
  switch (state) {
    case "ready":
      return certificate
        ? `The host has the private address ${list}.`
        : "The address works on this machine only, without a certificate.";
    case "unknown":
      return "BURSAR_PUBLIC_URL is not set. Ask the operator of this server.";
    case "unencrypted":
      return "The address has no https.";
    case "unresolved":
      return "This server finds no address of the host.";
    case "public":
      return `The host has the address ${list}, which is not private.`;
    case "unreachable":
      return `This server gets no certificate from ${url}.`;
  }
}
