import type { apiKey, officialApiKey } from "@bursar/contract/admin/api-keys.ts";
import type { archiveApiKeys, createApiKeys } from "@bursar/contract/admin/many-api-keys.ts";
import type { z } from "zod";
import { toWireMaker } from "#src/domain/caller.ts";
import { formatUsd } from "#src/domain/money.ts";
import type { OwnerState } from "#src/domain/owner-state.ts";
import type { Handover } from "#src/keys/waiting-secrets/waiting-secrets.ts";
import { findContact } from "../find-contact.ts";
import type { ApiKeyRow } from "./api-keys.sql.ts";
import type { CreatedKeys } from "./create-api-keys.ts";
import type { NewSecretOfKey } from "./create-key.ts";
import { type ApiKeyView, statusOf } from "./describe-api-keys.ts";
import { findRestricting } from "./effective-restrictions.rule.ts";
import type { StoppedKeys } from "./stop-api-keys.ts";

type Wire = z.input<typeof apiKey>;

export function toApiKey(view: ApiKeyView): Wire {
  const { row } = view;
  return {
    id: row.id,
    type: "api_key",
    name: row.name,
    workspace_id: row.workspace_id,
    owner: toOwner(row),
    permissions: [row.permission],
    purpose: row.purpose === "claude_code" ? "claude_code" : "calls",
    status: view.status,
    stopped_because: findStopReason(view),
    allowed_models: row.allowed_models,
    allowed_addresses: row.allowed_addresses,
    allowed_origins: row.allowed_origins,
    restrictions: view.restrictions.map((each) => ({
      rank: each.rank,
      is_disabled: each.is_disabled,
      allowed_models: each.allowed_models,
      allowed_addresses: each.allowed_addresses,
      expires_at: each.expires_at?.toISOString() ?? null,
      set_by: toWireMaker({ created_by_type: each.set_by_type, created_by_id: each.set_by_id }),
      set_at: each.set_at.toISOString(),
    })),
    partial_key_hint: row.hint,
    secrets: view.secrets.map((secret) => ({
      partial_key_hint: secret.hint,
      created_at: secret.created_at.toISOString(),
      valid_until: secret.valid_until?.toISOString() ?? null,
      last_used: toLastUsed(secret),
    })),
    last_used: toLastUsed(row),
    spent_month_usd: formatUsd(view.spentMonthNanoUsd),
    tags: row.tags,
    user_directory_id: row.user_directory_id,
    requires_user: row.requires_user ?? false,
    created_by: toWireMaker(row),
    contact_member_id: row.owner_member_id === null ? findContact(row) : null,
    created_at: row.created_at.toISOString(),
    expires_at: row.expires_at?.toISOString() ?? null,
    archived_at: row.archived_at?.toISOString() ?? null,
    rotation: view.rotation && {
      due_at: new Date(view.rotation.dueAtMs).toISOString(),
      expires_at: new Date(view.rotation.expireAtMs).toISOString(),
    },
    attention: view.attention,
    monthly_limit_usd: view.monthlyLimitUsd,
    exceeds_max_lifetime: view.exceedsMaxLifetime,
  };
}

export function toCreatedApiKey({ view, ...handover }: NewSecretOfKey) {
  return { ...toApiKey(view), ...toNewSecret(handover) };
}

function toNewSecret({ secret, waiting }: Handover) {
  const waiting_secret = waiting && {
    id: waiting.id,
    url: waiting.url,
    expires_at: waiting.expiresAt.toISOString(),
  };
  return { key: secret, waiting_secret };
}

export function toCreatedApiKeys(
  workspaceId: string,
  { expiresAt, keys }: CreatedKeys,
): z.input<(typeof createApiKeys)["response"]> {
  return {
    type: "created_api_keys",
    workspace_id: workspaceId,
    expires_at: expiresAt?.toISOString() ?? null,
    data: keys.map(({ key: { id, name, hint }, ...handover }) => ({
      ...{ id, name, partial_key_hint: hint },
      ...toNewSecret(handover),
    })),
  };
}

export function toStoppedApiKeys({
  changed,
  keys,
}: StoppedKeys): z.input<(typeof archiveApiKeys)["response"]> {
  return {
    type: "stopped_api_keys",
    changed,
    data: keys.map(({ id, name, workspaceId, status }) => ({
      id,
      name,
      workspace_id: workspaceId,
      status,
    })),
  };
}

/** A state of the owner, or the highest rank that disabled the key. */
function findStopReason({ row, status, restrictions }: ApiKeyView): Wire["stopped_because"] {
  const ofOwner = row.owner_state && stoppedBecause[row.owner_state];
  if (ofOwner !== null || status !== "inactive") return ofOwner;
  const disabled = findRestricting(restrictions, "is_disabled");
  return disabled === undefined ? null : `disabled_by_${disabled.rank}`;
}

const stoppedBecause: Readonly<Record<OwnerState, Wire["stopped_because"]>> = {
  active: null,
  deactivated: "owner_deactivated",
  removed: "owner_removed",
  outside: "owner_outside_workspace",
};

function toOwner({ owner_member_id, owner_name, owner_email }: ApiKeyRow): Wire["owner"] {
  if (owner_member_id === null) return { type: "workspace" };
  return { type: "member", id: owner_member_id, name: owner_name ?? "", email: owner_email ?? "" };
}

function toLastUsed(
  of: Pick<ApiKeyRow, "last_used_at" | "last_used_address" | "last_used_model">,
): Wire["last_used"] {
  if (of.last_used_at === null) return null;
  const at = of.last_used_at.toISOString();
  return { at, address: of.last_used_address, model: of.last_used_model };
}

export function toOfficialApiKey(row: ApiKeyRow, nowMs: number): z.input<typeof officialApiKey> {
  const { owner_member_id } = row;
  return {
    id: row.id,
    type: "api_key",
    name: row.name,
    status: statusOf(row, nowMs),
    created_at: row.created_at.toISOString(),
    created_by: row.created_by_type === "member" ? { id: row.created_by_id, type: "user" } : null,
    expires_at: row.expires_at?.toISOString() ?? null,
    partial_key_hint: row.hint,
    principal: owner_member_id === null ? null : { type: "user_actor", user_id: owner_member_id },
    scope: { type: "workspace", workspace_id: row.workspace_id },
    workspace_id: row.workspace_id,
  };
}
