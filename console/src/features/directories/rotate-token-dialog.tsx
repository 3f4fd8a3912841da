import { useState } from "react";
import { type GracePeriod, RotateDialog } from "../../kit/rotate-dialog.tsx";
import { type ScimToken, useRotateScimToken } from "./queries.ts";
import { describeRotatedToken } from "./scim-effects.ts";

const gracePeriods: readonly GracePeriod[] = [
  [0, "Now", "The old token stops working immediately."],
  [86_400, "In 1 day", "Time to enter the new token at the provider."],
  [604_800, "In 7 days", "Time for a change by another team."],
];

interface RotateProps {
  token: ScimToken;
  onClose: () => void;
  /** Receives the new secret, to show it once. Do not store it. */
  onRotated: (secret: string) => void;
}

/** Creates another token. The old one works until the grace period ends. */
export function RotateTokenDialog({ token, onClose, onRotated }: RotateProps) {
  const [nowMs] = useState(() => Date.now());
  return (
    <RotateDialog
      action="Rotate SCIM token"
      description={`A new token replaces ${token.partial_token_hint}.`}
      legend="Old token expires"
      gracePeriods={gracePeriods}
      change={useRotateScimToken()}
      toInput={(grace_period_seconds) => ({
        params: { directory_id: token.directory_id, scim_token_id: token.id },
        body: { grace_period_seconds },
      })}
      onRotated={(made) => onRotated(made.token)}
      endsNow={describeRotatedToken(token, nowMs)}
      onClose={onClose}
    />
  );
}
