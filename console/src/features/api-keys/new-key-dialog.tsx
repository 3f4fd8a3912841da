import type { ReactNode } from "react";
import type { ApiKey } from "../../kit/api-keys/queries.ts";
import { ApiKeySecretDialog } from "../../kit/api-keys/secret-dialog.tsx";
import { CodeSamples } from "../../kit/code-samples/code-samples.tsx";
import { findUsableModel, makeFirstRequest } from "../../kit/code-samples/first-request.ts";
import { strongest } from "./words.ts";

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

/** Code samples. Null: the key cannot send messages, or its models are unknown. */
function makeSamples({ key: { permissions, allowed_models }, secret }: NewKey): ReactNode {
  const model = findUsableModel([allowed_models]);
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
