import type { ReactNode } from "react";
import { LoadError } from "../../kit/error-pages.tsx";
import { FirstRequestReport } from "../../kit/first-request/first-request-report.tsx";
import { useFirstRequest } from "../../kit/first-request/use-first-request.ts";
import { NoWorkspace } from "../../kit/personal-keys/no-workspace.tsx";
import { usePersonalKeyOptions, usePersonalKeys } from "../../kit/personal-keys/queries.ts";
import { useApi } from "../../queries.ts";
import { useSession } from "../../session.ts";
import { Section } from "../../ui/page.tsx";
import { SkeletonRows } from "../../ui/states.tsx";
import { AddressCheck } from "./address-check.tsx";
import { MachineFile } from "./machine-file.tsx";
import { SignInSteps } from "./sign-in-steps.tsx";

/** Claude Code with the account of the member, without a key. `children` appear below, when the rest is loaded. */
export function SignInTab({ children }: { children: ReactNode }) {
  const address = useApi("getServerAddress", {});
  const options = usePersonalKeyOptions();
  const error = (address.data ? null : address.error) ?? (options.data ? null : options.error);
  if (error) return <LoadError error={error} onRetry={() => void address.refetch()} />;
  if (!address.data || !options.data) return <SkeletonRows />;
  const { url, certificate } = address.data;
  return (
    <>
      {/* A sign-in needs the same right as a key. */}
      {options.data.workspaces.length === 0 && <NoWorkspace contacts={options.data.contacts} />}
      <AddressCheck address={address.data} />
      {url !== null && <MachineFile origin={new URL(url).origin} />}
      <SignInSteps url={url ?? ""} fingerprint={certificate?.sha256 ?? null} />
      <Section title="First request">
        <LaptopReport />
      </Section>
      {children}
    </>
  );
}

/** Interval in which the key of a new sign-in appears. */
const KEYS_MS = 15_000;

/** Reports requests of Claude Code on any laptop of the member. */
function LaptopReport() {
  const { member } = useSession();
  const keys = usePersonalKeys({ everyMs: KEYS_MS });
  const ofLaptops = (keys.data?.items ?? []).filter(({ purpose }) => purpose === "claude_code");
  const wait = useFirstRequest({
    memberId: member.id,
    apiKeyIds: ofLaptops.map(({ id }) => id),
  });
  return <FirstRequestReport wait={wait} />;
}
