import { useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { stateOf } from "../../kit/api-keys/key-state.ts";
import type { ApiKey } from "../../kit/api-keys/queries.ts";
import type { CreatedPersonalKey } from "../../kit/personal-keys/create-personal-key.tsx";
import { usePersonalKeys } from "../../kit/personal-keys/queries.ts";
import { useApi } from "../../queries.ts";
import type { ConnectSearch } from "./search.ts";

/** Keys of the page, and the one in the code. */
export interface KeyChoice {
  /** Keys that can send messages, newest first. Undefined: loading. */
  keys: readonly ApiKey[] | undefined;
  error: Error | null;
  /** Null: there is no key. */
  chosen: ApiKey | null;
  /** Secret of the chosen key, if it was created on this page. Null: unknown. No cache or storage has it. */
  secret: string | null;
  /** False: the person has not stored the secret yet. */
  isStored: boolean;
  /** True: the chosen key was created on this page, and had no answered request. */
  isUnused: boolean;
  onChoose: (id: string) => void;
  onCreated: (key: CreatedPersonalKey) => void;
  onStored: () => void;
  /** Reports that the chosen key had an answered request. */
  onUsed: () => void;
}

interface CreatedKey {
  id: string;
  secret: string;
  isStored: boolean;
  isUsed: boolean;
}

/** Own keys of the member, and a key that the address names. */
export function useKeyChoice(): KeyChoice {
  const { key }: ConnectSearch = useSearch({ strict: false });
  // Addresses of the other tabs do not name the key.
  const [namedId] = useState(key);
  const [chosenId, setChosenId] = useState(namedId ?? null);
  const [created, setCreated] = useState<CreatedKey | null>(null);
  const own = usePersonalKeys();
  const isOwn = own.data?.items.some(({ id }) => id === namedId);
  const named = useApi(
    "getApiKey",
    { params: { api_key_id: namedId ?? "" } },
    { isEnabled: namedId !== undefined && isOwn === false },
  );
  const keys =
    own.data && !named.isLoading
      ? [...own.data.items, ...(named.data ? [named.data] : [])].filter(canSend)
      : undefined;
  const chosen = keys?.find(({ id }) => id === chosenId) ?? keys?.[0] ?? null;
  const ofChosen = created !== null && created.id === chosen?.id ? created : null;
  return {
    keys,
    error: own.data ? null : own.error,
    chosen,
    secret: ofChosen?.secret ?? null,
    isStored: ofChosen?.isStored ?? true,
    isUnused: ofChosen?.isUsed === false,
    onChoose: setChosenId,
    onCreated: ({ id, key: secret }) => {
      setChosenId(id);
      if (secret !== null) setCreated({ id, secret, isStored: false, isUsed: false });
    },
    onStored: () => setCreated(ofChosen && { ...ofChosen, isStored: true }),
    onUsed: () => setCreated(ofChosen && { ...ofChosen, isUsed: true }),
  };
}

function canSend(key: ApiKey): boolean {
  return (
    stateOf(key) === "active" &&
    key.purpose === "calls" &&
    key.permissions.some((permission) => permission !== "read")
  );
}
