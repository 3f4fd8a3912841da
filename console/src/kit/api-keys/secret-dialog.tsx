import type { ReactNode } from "react";
import { SecretDialog } from "../../ui/secret-dialog.tsx";
import { useBaseUrl } from "../code-samples/code-samples.tsx";
import { toVariables } from "../code-samples/write-code.ts";

interface ApiKeySecretDialogProps {
  /** Stored by the caller in its state alone. Null: closed. */
  secret: string | null;
  onDone: () => void;
  children?: ReactNode;
}

/** Shows the secret of a key once, to be copied alone or with the address that it belongs to. */
export function ApiKeySecretDialog({ secret, ...rest }: ApiKeySecretDialogProps) {
  const baseUrl = useBaseUrl();
  return (
    <SecretDialog
      title="Store the key"
      description={`Programs send it as x-api-key. Their base URL is ${baseUrl}.`}
      secret={secret}
      variables={secret === null ? undefined : toVariables(baseUrl, secret)}
      {...rest}
    />
  );
}
