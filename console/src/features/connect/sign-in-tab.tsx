import { LoadError } from "../../kit/error-pages.tsx";
import { useApi } from "../../queries.ts";
import { SkeletonRows } from "../../ui/states.tsx";
import { AddressCheck } from "./address-check.tsx";
import { MachineFile } from "./machine-file.tsx";
import { SignInSteps } from "./sign-in-steps.tsx";

/** Claude Code with the account of the member, without a key. */
export function SignInTab() {
  const address = useApi("getServerAddress", {});
  if (address.error) {
    return <LoadError error={address.error} onRetry={() => void address.refetch()} />;
  }
  if (!address.data) return <SkeletonRows />;
  const { url } = address.data;
  return (
    <div className="grid max-w-3xl gap-10">
      <AddressCheck address={address.data} />
      {url !== null && <MachineFile origin={new URL(url).origin} />}
      <SignInSteps url={url ?? ""} fingerprint={address.data.certificate?.sha256 ?? null} />
    </div>
  );
}
