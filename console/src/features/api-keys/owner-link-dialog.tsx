import type { Answer } from "../../api-client.ts";
import type { ApiKey } from "../../kit/api-keys/queries.ts";
import { Button } from "../../ui/button.tsx";
import { CopyButton } from "../../ui/copy-button.tsx";
import { Dialog, DialogActions } from "../../ui/dialog.tsx";
import { formatDay } from "../../ui/format.ts";
import { nameOfOwner } from "./words.ts";

/** One-time link of a key whose secret waits for its owner. */
export interface OwnerLink {
  key: Pick<ApiKey, "name" | "owner">;
  waiting: NonNullable<Answer<"createApiKey">["waiting_secret"]>;
}

interface OwnerLinkDialogProps {
  /** Null: closed. */
  link: OwnerLink | null;
  onDone: () => void;
}

/** Shows the link that its creator can pass on to the owner of the key. */
export function OwnerLinkDialog({ link, onDone }: OwnerLinkDialogProps) {
  if (link === null) return null;
  const { key, waiting } = link;
  const name = nameOfOwner(key.owner);
  return (
    <Dialog
      title={`Key for ${name}`}
      description={`${name} gets an e-mail with this link to the secret of “${key.name}”. You can also pass it on.`}
      isOpen
      onClose={onDone}
    >
      <output className="block rounded-md border border-edge/60 bg-sunk px-3 py-2.5 font-mono text-sm leading-relaxed break-all select-all">
        {waiting.url}
      </output>
      <p className="text-sm text-quiet">
        The link works only for {name}, after their sign-in, and shows the secret once. The link
        ends on {formatDay(waiting.expires_at)}.
      </p>
      <DialogActions>
        <CopyButton text={waiting.url} what="link" />
        <Button kind="primary" onClick={onDone}>
          Done
        </Button>
      </DialogActions>
    </Dialog>
  );
}
