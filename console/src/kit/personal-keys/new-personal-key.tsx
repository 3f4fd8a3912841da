import { ApiKeySecretDialog } from "../api-keys/secret-dialog.tsx";
import { LateFirstRequest } from "../first-request/late-first-request.tsx";
import type { CreatedPersonalKey } from "./create-personal-key.tsx";

interface NewKeyProps {
  /** Null: closed. */
  created: CreatedPersonalKey | null;
  onDone: () => void;
}

/** Shows the secret of a new key once, with commands that use it, and waits for the first request. */
export function NewPersonalKeyDialog({ created, onDone }: NewKeyProps) {
  const secret = created?.key ?? null;
  return (
    <ApiKeySecretDialog secret={secret} onDone={onDone}>
      {created && (
        <section className="grid gap-3 border-t border-line pt-5">
          <h3>Send your first request</h3>
          <LateFirstRequest apiKey={created} secret={secret} />
        </section>
      )}
    </ApiKeySecretDialog>
  );
}
