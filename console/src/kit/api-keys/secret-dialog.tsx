import type { ReactNode } from "react";
import { SecretDialog } from "../../ui/secret-dialog.tsx";
import { useBaseUrl } from "../code-samples/use-base-url.ts";
import { toVariables } from "../code-samples/variables.ts";

interface ApiKeySecretDialogProps {
  /** Stored by the caller in its state alone. Null: closed. */
  secret: string | null;
  onDone: () => void;
  children?: ReactNode;
}

/** Shows the secret of a key once. The member copies it alone or with the address of this server. */
export function ApiKeySecretDialog({ secret, ...rest }: ApiKeySecretDialogProps) {
  const baseUrl = useBaseUrl();
  return (
    <SecretDialog
      title="Store the key"
      description={`Programs send the key as x-api-key to the base URL ${baseUrl}.`}
      secret={secret}
      variables={secret === null ? undefined : toVariables(baseUrl, secret)}
      {...rest}
    />
  );
}
