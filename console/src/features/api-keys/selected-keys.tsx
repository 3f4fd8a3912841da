import { useState } from "react";
import type { ApiKey } from "../../kit/api-keys/queries.ts";
import { StopConsequences } from "../../kit/api-keys/stop-consequences.tsx";
import { ConfirmDelayedChange } from "../../kit/delayed-change/confirm-delayed-change.tsx";
import { Button } from "../../ui/button.tsx";
import { formatPlural } from "../../ui/format.ts";
import type { Selection } from "../../ui/selection.ts";
import { SelectionBar } from "../../ui/selection-bar.tsx";
import { useArchiveApiKeys, useDisableApiKeys } from "./queries.ts";

/** Maximum number of keys of one change. */
const MAX_KEYS = 500;

interface SelectedKeysProps {
  /** Selected keys, in the order of the list. */
  apiKeys: readonly ApiKey[];
  selection: Selection;
}

/** Bar with the actions for all selected keys. */
export function SelectedKeys({ apiKeys, selection }: SelectedKeysProps) {
  const [open, setOpen] = useState<"disable" | "revoke" | null>(null);
  const isTooMany = apiKeys.length > MAX_KEYS;
  const working = apiKeys.filter(({ status }) => status === "active");
  const ended = apiKeys.filter(({ status }) => status === "archived");
  const close = () => setOpen(null);
  const dialog = { apiKeys, onClose: close, onConfirmed: () => selection.onChange(new Set()) };
  return (
    <>
      <SelectionBar selection={selection}>
        {isTooMany && (
          <span className="text-sm text-warn">At most {MAX_KEYS} keys change at once.</span>
        )}
        <Button
          disabled={isTooMany || working.length < apiKeys.length}
          title={working.length < apiKeys.length ? "Only active keys can be disabled." : undefined}
          onClick={() => setOpen("disable")}
        >
          Disable keys…
        </Button>
        <Button
          disabled={isTooMany || ended.length === apiKeys.length}
          onClick={() => setOpen("revoke")}
        >
          Revoke keys…
        </Button>
      </SelectionBar>
      {open === "disable" && <DisableKeysDialog {...dialog} />}
      {open === "revoke" && <RevokeKeysDialog {...dialog} />}
    </>
  );
}

interface StopDialogProps {
  apiKeys: readonly ApiKey[];
  onClose: () => void;
  /** Called when the change waits or is made. */
  onConfirmed: () => void;
}

function DisableKeysDialog({ apiKeys, onClose, onConfirmed }: StopDialogProps) {
  return (
    <ConfirmDelayedChange
      change={useDisableApiKeys()}
      {...describe(apiKeys)}
      action="Disable keys"
      urgentAction="Disable now"
      done="disabled"
      toastDetail="You can enable the keys again."
      onClose={onClose}
      onConfirmed={onConfirmed}
    >
      <p>
        {formatPlural(apiKeys.length, "key")} {apiKeys.length === 1 ? "stops" : "stop"} working
        within a second. All are disabled, or none. You can enable each one again.
      </p>
      <Effect apiKeys={apiKeys} />
    </ConfirmDelayedChange>
  );
}

function RevokeKeysDialog({ apiKeys, onClose, onConfirmed }: StopDialogProps) {
  return (
    <ConfirmDelayedChange
      change={useArchiveApiKeys()}
      {...describe(apiKeys)}
      action="Revoke keys"
      urgentAction="Revoke now"
      done="revoked"
      typed={String(apiKeys.length)}
      onClose={onClose}
      onConfirmed={onConfirmed}
    >
      <p>
        {formatPlural(apiKeys.length, "key")} {apiKeys.length === 1 ? "is" : "are"} revoked
        permanently, within a second on every server. Running requests finish.
      </p>
      <Effect apiKeys={apiKeys} />
    </ConfirmDelayedChange>
  );
}

function describe(apiKeys: readonly ApiKey[]) {
  const ids = apiKeys.map(({ id }) => id);
  return {
    input: { body: { ids } },
    subject: ids.join(" "),
    // A noun in the singular, for sentences such as “… stays as it was”.
    name: `Selection of ${formatPlural(ids.length, "key")}`,
  };
}

const SHOWN = 6;

function Effect({ apiKeys }: { apiKeys: readonly ApiKey[] }) {
  const more = apiKeys.length - SHOWN;
  return (
    <>
      <ul className="list-disc pl-5 text-ink">
        {apiKeys.slice(0, SHOWN).map((key) => (
          <li key={key.id}>
            {key.name} <code className="whitespace-nowrap text-faint">{key.partial_key_hint}</code>
          </li>
        ))}
        {more > 0 && <li>and {more} more</li>}
      </ul>
      <StopConsequences apiKeys={apiKeys} />
    </>
  );
}
