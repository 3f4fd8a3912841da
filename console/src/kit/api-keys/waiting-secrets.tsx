import { useState } from "react";
import { useApi, useChange } from "../../queries.ts";
import { Button } from "../../ui/button.tsx";
import { Section } from "../../ui/page.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { FormError } from "../../ui/states.tsx";
import { ApiKeySecretDialog } from "./secret-dialog.tsx";

/** Secrets of the member's own keys that someone else created or rotated. Hidden without one. */
export function WaitingSecrets() {
  const waiting = useApi("listWaitingSecrets", {});
  const reveal = useChange("revealWaitingSecret", ["listWaitingSecrets"]);
  const [secret, setSecret] = useState<string | null>(null);
  const secrets = waiting.data?.data ?? [];
  const show = async (id: string) => {
    const { key } = await reveal.mutateAsync({ params: { waiting_secret_id: id } });
    setSecret(key);
    reveal.reset();
  };
  if (secrets.length === 0 && secret === null && !waiting.error) return null;
  return (
    <Section
      title="Keys made for you"
      lead="Only you can see these secrets, and each is shown once. An unseen secret is deleted after seven days."
    >
      <ul className="divide-y divide-line border-y border-line text-sm">
        {secrets.map((each) => (
          <li key={each.id} className="flex flex-wrap items-center gap-x-6 gap-y-1 py-3">
            <span className="flex-1 basis-44">
              <span className="font-medium">{each.api_key_name}</span>
              <span className="block text-quiet">
                {each.reason === "created" ? "Created" : "Rotated"}{" "}
                <RelativeTime at={each.created_at} />, deleted <RelativeTime at={each.expires_at} />
              </span>
            </span>
            <Button
              isBusy={reveal.isPending && reveal.variables?.params.waiting_secret_id === each.id}
              onClick={() => void show(each.id).catch(() => undefined)}
              aria-label={`Show the secret of ${each.api_key_name}`}
            >
              Show secret
            </Button>
          </li>
        ))}
      </ul>
      <FormError error={waiting.error ?? reveal.error} />
      <ApiKeySecretDialog secret={secret} onDone={() => setSecret(null)} />
    </Section>
  );
}
