import type { ApiKey } from "../../kit/api-keys/queries.ts";
import { StopConsequences } from "../../kit/api-keys/stop-consequences.tsx";
import { describeLastUse } from "../../kit/api-keys/stop-effects.ts";
import { Consequences } from "../../kit/consequences/consequences.tsx";
import { ConfirmDelayedChange } from "../../kit/delayed-change/confirm-delayed-change.tsx";
import { type GracePeriod, RotateDialog } from "../../kit/rotate-dialog.tsx";
import { useSession } from "../../session.ts";
import type { OwnerLink } from "./owner-link-dialog.tsx";
import { useRotateApiKey, useUpdateApiKey } from "./queries.ts";
import { secretGoesToOwner } from "./words.ts";

interface KeyDialogProps {
  apiKey: ApiKey;
  onClose: () => void;
}

const RECENT_MS = 7 * 86_400_000;

/** Revokes a key permanently. A key in use needs its name as confirmation. */
export function RevokeKeyDialog({ apiKey, onClose }: KeyDialogProps) {
  const update = useUpdateApiKey();
  const isInUse =
    apiKey.last_used !== null && Date.now() - Date.parse(apiKey.last_used.at) < RECENT_MS;
  return (
    <ConfirmDelayedChange
      change={update}
      input={{ params: { api_key_id: apiKey.id }, body: { status: "archived" } }}
      action="Revoke key"
      urgentAction="Revoke now"
      subject={apiKey.id}
      name={`Key “${apiKey.name}”`}
      done="revoked"
      typed={isInUse ? apiKey.name : undefined}
      onClose={onClose}
    >
      <p>
        <strong className="font-semibold text-ink">{apiKey.name}</strong> is revoked permanently,
        within a second on every server. Running requests finish.
      </p>
      <StopConsequences apiKeys={[apiKey]} />
      <p>A disabled key can be enabled again.</p>
    </ConfirmDelayedChange>
  );
}

/** Disables a key, which can be enabled again. */
export function DisableKeyDialog({ apiKey, onClose }: KeyDialogProps) {
  const update = useUpdateApiKey();
  return (
    <ConfirmDelayedChange
      change={update}
      input={{ params: { api_key_id: apiKey.id }, body: { status: "inactive" } }}
      action="Disable key"
      urgentAction="Disable now"
      subject={apiKey.id}
      name={`Key “${apiKey.name}”`}
      done="disabled"
      toastDetail="You can enable the key again."
      onClose={onClose}
    >
      <p>
        <strong className="font-semibold text-ink">{apiKey.name}</strong> stops working within a
        second. You can enable it again.
      </p>
      <StopConsequences apiKeys={[apiKey]} />
    </ConfirmDelayedChange>
  );
}

const gracePeriods: readonly GracePeriod[] = [
  [0, "Now", "The old secret stops working immediately."],
  [3_600, "In 1 hour", "Time for one deployment."],
  [86_400, "In 1 day", "Time for a rollout over hours."],
  [604_800, "In 7 days", "Time to change secrets manually."],
];

const previousSecretEnds =
  "The previous secret still works. A key has at most two secrets, so rotation revokes the previous one immediately.";

interface RotateProps extends KeyDialogProps {
  /** Receives the new secret, to show it once. Do not store it. */
  onRotated: (secret: string) => void;
  /** Receives the link for the owner of the key. */
  onHandedOver: (link: OwnerLink) => void;
}

/** Creates a new secret for a key. The old secret works until the grace period ends. */
export function RotateKeyDialog({ apiKey, onClose, onRotated, onHandedOver }: RotateProps) {
  const isRotating = apiKey.secrets.length > 1;
  const { member } = useSession();
  return (
    <RotateDialog
      action="Rotate key"
      description={`${apiKey.name} gets a new secret. The id, permissions, limits and spend of the key stay.`}
      legend="Old secret expires"
      gracePeriods={gracePeriods}
      change={useRotateApiKey()}
      toInput={(grace_period_seconds) => ({
        params: { api_key_id: apiKey.id },
        body: { grace_period_seconds, cut_off_previous: isRotating },
      })}
      onRotated={({ key, waiting_secret: waiting }) => {
        if (key !== null) return onRotated(key);
        if (waiting !== null) onHandedOver({ key: apiKey, waiting });
      }}
      onClose={onClose}
    >
      <Consequences sentences={isRotating ? [previousSecretEnds] : []} />
      <p className="text-sm text-quiet">
        {describeLastUse(apiKey, Date.now())} Programs need the new secret before the old one
        expires.
      </p>
      {apiKey.owner.type === "member" && apiKey.owner.id !== member.id && (
        <p className="text-sm text-quiet">{secretGoesToOwner(apiKey)}</p>
      )}
    </RotateDialog>
  );
}
