import { useState } from "react";
import { type Answer, call } from "../../api-client.ts";
import { queryClient, useApi, useChange } from "../../queries.ts";
import { useSession } from "../../session.ts";
import { Badge } from "../../ui/badge.tsx";
import { Button } from "../../ui/button.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { FormError } from "../../ui/states.tsx";
import { showToast } from "../../ui/toast.ts";
import { ConfirmChange } from "../confirm-change.tsx";
import { Consequences } from "../consequences/consequences.tsx";
import { describeRemovedPasskey } from "./factor-effects.ts";
import { hasPasskeys, makePasskey } from "./passkeys.ts";

type Passkey = Answer<"listPasskeys">["data"][number];

/** Passkeys of the signed-in member. `onAdded` runs after a new one. */
export function Passkeys({ onAdded }: { onAdded?: () => void }) {
  const passkeys = useApi("listPasskeys", {});
  const [removed, setRemoved] = useState<Passkey | null>(null);
  return (
    <div className="grid gap-4">
      {passkeys.data && passkeys.data.data.length > 0 && (
        <ul className="divide-y divide-line border-y border-line text-sm">
          {passkeys.data.data.map((passkey) => (
            <li key={passkey.id} className="flex flex-wrap items-center gap-x-6 gap-y-1 py-3">
              <span className="flex-1 basis-56">
                <span className="font-medium">{passkey.name}</span>{" "}
                {passkey.is_backed_up && <Badge>synced</Badge>}
                <span className="block text-quiet">
                  Added <RelativeTime at={passkey.created_at} />, last used{" "}
                  <RelativeTime at={passkey.last_used_at} absent="never" />
                </span>
              </span>
              <Button
                onClick={() => setRemoved(passkey)}
                aria-label={`Remove passkey ${passkey.name}…`}
              >
                Remove passkey…
              </Button>
            </li>
          ))}
        </ul>
      )}
      <FormError error={passkeys.error} />
      <AddPasskey onAdded={onAdded} />
      {removed && (
        <RemoveDialog
          passkey={removed}
          others={(passkeys.data?.data.length ?? 1) - 1}
          onClose={() => setRemoved(null)}
        />
      )}
    </div>
  );
}

interface RemoveProps {
  passkey: Passkey;
  /** Number of other passkeys of the member. */
  others: number;
  onClose: () => void;
}

function RemoveDialog({ passkey, others, onClose }: RemoveProps) {
  const { password_state, two_factor } = useSession();
  const [nowMs] = useState(() => Date.now());
  return (
    <ConfirmChange
      change={useChange("removePasskey", ["listPasskeys", "getSession"])}
      input={{ params: { passkey_id: passkey.id } }}
      action="Remove passkey"
      toast={`Passkey “${passkey.name}” removed`}
      onClose={onClose}
    >
      <p>
        <strong className="font-semibold text-ink">{passkey.name}</strong> no longer signs you in.
      </p>
      <Consequences
        sentences={describeRemovedPasskey({
          passkey,
          others,
          hasPassword: password_state === "usable",
          hasApp: two_factor.is_enabled,
          nowMs,
        })}
      />
    </ConfirmChange>
  );
}

function AddPasskey({ onAdded }: { onAdded: (() => void) | undefined }) {
  const [isBusy, setIsBusy] = useState(false);
  const [error, setError] = useState<Error | null>(null);
  if (!hasPasskeys()) {
    return (
      <p className="text-sm text-quiet">Passkeys need https, or a browser on the server itself.</p>
    );
  }
  const add = async () => {
    setIsBusy(true);
    setError(null);
    try {
      const { options } = await call("getNewPasskeyOptions", {});
      const passkey = await makePasskey(options);
      if (passkey) {
        await call("addPasskey", { body: { name: deviceName(), passkey } });
        await queryClient.invalidateQueries({ queryKey: ["listPasskeys"] });
        await queryClient.invalidateQueries({ queryKey: ["getSession"] });
        showToast("Passkey added");
        onAdded?.();
      }
    } catch (failure) {
      setError(failure as Error);
    } finally {
      setIsBusy(false);
    }
  };
  return (
    <>
      <FormError error={error} />
      <div>
        <Button isBusy={isBusy} onClick={() => void add()}>
          Add a passkey…
        </Button>
      </div>
    </>
  );
}

function deviceName(): string {
  const system =
    /Windows|Mac OS|Android|iPhone|iPad|Linux/.exec(navigator.userAgent)?.[0] ?? "Device";
  return `${system.replace("Mac OS", "Mac")}, ${new Date().toISOString().slice(0, 10)}`;
}
