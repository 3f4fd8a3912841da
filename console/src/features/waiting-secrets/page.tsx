import { useParams } from "@tanstack/react-router";
import { useState } from "react";
import { NewPersonalKeyDialog } from "../../kit/personal-keys/new-personal-key.tsx";
import { usePersonalKeys } from "../../kit/personal-keys/queries.ts";
import { WorkspaceName } from "../../kit/workspaces/workspace-link.tsx";
import { useApi, useChange } from "../../queries.ts";
import { useSession } from "../../session.ts";
import { Button, ButtonLink } from "../../ui/button.tsx";
import { Facts, Page } from "../../ui/page.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { ErrorState, FormError, SkeletonRows } from "../../ui/states.tsx";

/** Page of a one-time link: shows the secret of a key that someone else created for the member. */
export function WaitingSecretPage() {
  const { waitingSecretId = "" }: { waitingSecretId?: string } = useParams({ strict: false });
  const waiting = useApi("listWaitingSecrets", {});
  const keys = usePersonalKeys();
  const reveal = useChange("revealWaitingSecret", ["listWaitingSecrets"]);
  const [secret, setSecret] = useState<string | null>(null);
  const [keyId, setKeyId] = useState<string | null>(null);
  const error = (waiting.data ? null : waiting.error) ?? (keys.data ? null : keys.error);
  if (error) return <ErrorState error={error} onRetry={() => void waiting.refetch()} />;
  if (!waiting.data || !keys.data) return <SkeletonRows rows={3} />;
  const found = waiting.data.data.find(({ id }) => id === waitingSecretId);
  const key = keys.data.items.find(({ id }) => id === (found?.api_key_id ?? keyId));
  const show = async () => {
    const revealed = await reveal.mutateAsync({ params: { waiting_secret_id: waitingSecretId } });
    setKeyId(revealed.api_key_id);
    setSecret(revealed.key);
    reveal.reset();
  };
  return (
    <>
      {found ? (
        <Page
          title="Your new key"
          lead="Someone in your company created this key for you. Only you can see its secret, once."
        >
          <div className="grid max-w-2xl gap-6">
            <Facts
              items={[
                ["Name", found.api_key_name],
                ["Workspace", <WorkspaceName key="workspace" id={found.workspace_id} />],
                ["Created", <RelativeTime key="created" at={found.created_at} />],
                ["Link ends", <RelativeTime key="ends" at={found.expires_at} />],
              ]}
            />
            <FormError error={reveal.error} />
            <div>
              <Button
                kind="primary"
                isBusy={reveal.isPending}
                onClick={() => void show().catch(() => undefined)}
              >
                Show your key
              </Button>
            </div>
          </div>
        </Page>
      ) : (
        <EndedLink isUsed={keyId !== null} />
      )}
      <NewPersonalKeyDialog
        created={secret !== null && key ? { ...key, key: secret, waiting_secret: null } : null}
        onDone={() => setSecret(null)}
      />
    </>
  );
}

/** Explains a link without a secret. Never tells whether the link belongs to another person. */
function EndedLink({ isUsed }: { isUsed: boolean }) {
  const { member } = useSession();
  return (
    <Page
      title={isUsed ? "Your key is ready" : "This link shows no key"}
      lead={
        isUsed
          ? "The link is used up. Your keys list the new one."
          : `The link was used, has ended, or belongs to another account than ${member.email}.`
      }
    >
      <div className="grid max-w-2xl gap-6">
        {!isUsed && (
          <p className="text-quiet">
            Sign in with the account that the key was created for. If the link was used or has
            ended, ask for a new secret: the key stays, and a rotation sends a new link.
          </p>
        )}
        <div className="flex">
          <ButtonLink to="/personal-keys">Show your keys</ButtonLink>
        </div>
      </div>
    </Page>
  );
}
