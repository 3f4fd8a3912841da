import { MoreHorizontal } from "lucide-react";
import { useState } from "react";
import { Badge } from "../../ui/badge.tsx";
import { IconButton } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { DialogForm } from "../../ui/dialog-form.tsx";
import { Menu, MenuItem } from "../../ui/menu.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { FormError } from "../../ui/states.tsx";
import { showToast } from "../../ui/toast.ts";
import { useNow } from "../../ui/use-now.ts";
import { stateOf, stopReason, toneOf, warningsOf } from "../api-keys/key-state.ts";
import type { ApiKey } from "../api-keys/queries.ts";
import { ApiKeySecretDialog } from "../api-keys/secret-dialog.tsx";
import { StopConsequences } from "../api-keys/stop-consequences.tsx";
import { Consequences } from "../consequences/consequences.tsx";
import { ConfirmDelayedChange } from "../delayed-change/confirm-delayed-change.tsx";
import { MarkedMoney } from "../usage/simulated.tsx";
import { useSimulatedMonth } from "../usage/simulated-month.ts";
import { useChangeForm } from "../use-change-form.ts";
import { WorkspaceName } from "../workspaces/workspace-link.tsx";
import { useRotatePersonalKey, useUpdatePersonalKey } from "./queries.ts";

type Action = "rotate" | "disable" | "revoke";

/** Keys of the member, working ones first, each with its actions. */
export function PersonalKeyList({ keys }: { keys: readonly ApiKey[] }) {
  const [chosen, setChosen] = useState<{ key: ApiKey; action: Action } | null>(null);
  const [secret, setSecret] = useState<string | null>(null);
  const isWorking = (key: ApiKey) => stateOf(key) === "active";
  const sorted = [...keys.filter(isWorking), ...keys.filter((key) => !isWorking(key))];
  const close = () => setChosen(null);
  const update = useUpdatePersonalKey();
  const simulated = useSimulatedMonth("api_key");
  const enable = ({ id, name }: ApiKey) =>
    update.mutate(
      { params: { api_key_id: id }, body: { status: "active" } },
      { onSuccess: () => showToast(`Key “${name}” enabled`) },
    );
  return (
    <>
      <FormError error={update.error} />
      <ul className="divide-y divide-line border-y border-line text-sm">
        {sorted.map((key) => (
          <PersonalKey
            key={key.id}
            apiKey={key}
            simulatedNano={simulated.get(key.id) ?? 0n}
            onChoose={(action) => setChosen({ key, action })}
            onEnable={() => enable(key)}
          />
        ))}
      </ul>
      {chosen?.action === "rotate" && (
        <RotateDialog apiKey={chosen.key} onClose={close} onRotated={setSecret} />
      )}
      {chosen && chosen.action !== "rotate" && (
        <StatusDialog apiKey={chosen.key} action={chosen.action} onClose={close} />
      )}
      <ApiKeySecretDialog secret={secret} onDone={() => setSecret(null)} />
    </>
  );
}

interface PersonalKeyProps {
  apiKey: ApiKey;
  /** Part of the month's spend that the simulator answered. */
  simulatedNano: bigint;
  onChoose: (action: Action) => void;
  onEnable: () => void;
}

function PersonalKey({ apiKey, simulatedNano, onChoose, onEnable }: PersonalKeyProps) {
  const nowMs = useNow();
  const state = stateOf(apiKey);
  const reason = stopReason(apiKey);
  return (
    <li className="grid grid-cols-[minmax(0,1fr)_auto] items-center gap-x-4 py-3">
      <div className="grid gap-x-6 gap-y-1 sm:grid-cols-[minmax(0,1.3fr)_minmax(0,1fr)_8rem_8rem] sm:items-center">
        <span className="min-w-0">
          <span className="flex flex-wrap items-center gap-x-2 gap-y-1">
            <span className="truncate font-medium">{apiKey.name}</span>
            <Badge tone={toneOf(state)}>{state}</Badge>
            {warningsOf(apiKey, nowMs).map(({ tone, text }) => (
              <Badge key={text} tone={tone}>
                {text}
              </Badge>
            ))}
          </span>
          <code className="block truncate text-xs text-quiet">{apiKey.partial_key_hint}</code>
          {reason && <span className="block text-xs text-quiet">{reason}</span>}
        </span>
        <span className="min-w-0">
          <WorkspaceName id={apiKey.workspace_id} />
        </span>
        <span className="text-quiet sm:text-right">
          <MarkedMoney usd={apiKey.spent_month_usd} partNano={simulatedNano} />{" "}
          <span className="text-xs sm:block">this month, UTC</span>
        </span>
        <span className="text-quiet sm:text-right">
          {apiKey.last_used ? (
            <>
              <RelativeTime at={apiKey.last_used.at} />{" "}
              <span className="text-xs sm:block">last used</span>
            </>
          ) : (
            "not used yet"
          )}
        </span>
      </div>
      {state === "revoked" ? (
        <span className="size-8" />
      ) : (
        <Menu
          trigger={
            <IconButton label={`Actions of ${apiKey.name}`}>
              <MoreHorizontal size={17} />
            </IconButton>
          }
        >
          {state === "active" && (
            <>
              {apiKey.purpose === "calls" && (
                <MenuItem onSelect={() => onChoose("rotate")}>Rotate key…</MenuItem>
              )}
              <MenuItem onSelect={() => onChoose("disable")}>Disable key…</MenuItem>
            </>
          )}
          {state === "disabled" && <MenuItem onSelect={onEnable}>Enable key</MenuItem>}
          <MenuItem isDanger onSelect={() => onChoose("revoke")}>
            Revoke key…
          </MenuItem>
        </Menu>
      )}
    </li>
  );
}

const statusWords = {
  disable: {
    status: "inactive",
    action: "Disable key",
    urgentAction: "Disable now",
    done: "disabled",
    effect: "The key stops working within a second. You can enable it again.",
  },
  revoke: {
    status: "archived",
    action: "Revoke key",
    urgentAction: "Revoke now",
    done: "revoked",
    effect: "The key stops working within a second, permanently. Running requests finish.",
  },
} as const;

interface StatusProps {
  apiKey: ApiKey;
  action: keyof typeof statusWords;
  onClose: () => void;
}

function StatusDialog({ apiKey, action, onClose }: StatusProps) {
  const words = statusWords[action];
  return (
    <ConfirmDelayedChange
      change={useUpdatePersonalKey()}
      input={{ params: { api_key_id: apiKey.id }, body: { status: words.status } }}
      action={words.action}
      urgentAction={words.urgentAction}
      subject={apiKey.id}
      name={`Key “${apiKey.name}”`}
      done={words.done}
      onClose={onClose}
    >
      <p>
        <strong className="font-semibold text-ink">{apiKey.name}</strong> in{" "}
        <WorkspaceName id={apiKey.workspace_id} />. {words.effect}
      </p>
      <StopConsequences apiKeys={[apiKey]} />
    </ConfirmDelayedChange>
  );
}

const GRACE_SECONDS = 86_400;

interface RotateProps {
  apiKey: ApiKey;
  onClose: () => void;
  /** Receives the new secret, to show it once. Do not store it. */
  onRotated: (secret: string) => void;
}

/** Creates a new secret. The old one works for a day, so that programs can change it. */
function RotateDialog({ apiKey, onClose, onRotated }: RotateProps) {
  const isRotating = apiKey.secrets.length > 1;
  const changeForm = useChangeForm(useRotatePersonalKey(), {
    defaultValues: {},
    toInput: () => ({
      params: { api_key_id: apiKey.id },
      body: { grace_period_seconds: GRACE_SECONDS, cut_off_previous: isRotating },
    }),
    onSaved: ({ key }) => {
      onClose();
      if (key !== null) onRotated(key);
    },
  });
  return (
    <Dialog
      title="Rotate key"
      description={`${apiKey.name} gets a new secret. The old secret works for one more day.`}
      isOpen
      onClose={onClose}
    >
      <DialogForm form={changeForm} action="Rotate key">
        <Consequences
          sentences={
            isRotating ? ["An earlier secret still works. Rotation revokes it immediately."] : []
          }
        />
      </DialogForm>
    </Dialog>
  );
}
