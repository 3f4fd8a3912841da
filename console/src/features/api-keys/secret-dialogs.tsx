import type { ReactNode } from "react";
import { SecretDialog } from "../../ui/secret-dialog.tsx";
import { CodeSamples, useBaseUrl } from "../code-samples/code-samples.tsx";
import { findUsableModel, makeFirstRequest } from "../code-samples/first-request.ts";
import { toVariables } from "../code-samples/write-code.ts";
import type { ApiKey } from "./queries.ts";
import { strongest } from "./words.ts";

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

export interface NewKey {
  key: Pick<ApiKey, "permissions" | "allowed_models">;
  secret: string;
}

interface NewKeyDialogProps {
  /** Null: closed. */
  made: NewKey | null;
  onDone: () => void;
}

/** Shows the secret of a new key once, with a sample for each client. */
export function NewKeyDialog({ made, onDone }: NewKeyDialogProps) {
  const samples = made && makeSamples(made);
  return (
    <ApiKeySecretDialog secret={made?.secret ?? null} onDone={onDone}>
      {samples}
    </ApiKeySecretDialog>
  );
}

/** Null for a key that cannot send messages, or whose models are not known by name. */
function makeSamples({ key: { permissions, allowed_models }, secret }: NewKey): ReactNode {
  const model = findUsableModel(allowed_models);
  if (model === null || strongest(permissions) === "read") return null;
  return (
    <section className="grid gap-3 border-t border-line pt-5">
      <h3>Use the key</h3>
      <CodeSamples
        secret={secret}
        request={makeFirstRequest(model)}
        hasFixedModel={allowed_models !== null}
      />
    </section>
  );
}
