import type { ApiKey } from "../../kit/api-keys/queries.ts";
import { ApiKeySecretDialog } from "../../kit/api-keys/secret-dialog.tsx";
import { LateFirstRequest } from "../../kit/first-request/late-first-request.tsx";
import { strongest } from "./words.ts";

export interface NewKey {
  key: Pick<ApiKey, "id" | "permissions" | "allowed_models" | "owner">;
  secret: string;
}

interface NewKeyDialogProps {
  /** Null: closed. */
  made: NewKey | null;
  onDone: () => void;
}

/** Shows the secret of a new key once, with code for each client. */
export function NewKeyDialog({ made, onDone }: NewKeyDialogProps) {
  const canSend = made !== null && strongest(made.key.permissions) !== "read";
  return (
    <ApiKeySecretDialog secret={made?.secret ?? null} onDone={onDone}>
      {canSend && (
        <section className="grid gap-3 border-t border-line pt-5">
          <h3>Send your first request</h3>
          <LateFirstRequest apiKey={made.key} secret={made.secret} />
        </section>
      )}
    </ApiKeySecretDialog>
  );
}
