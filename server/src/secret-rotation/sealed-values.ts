import { secretSealContext, targetSealContext } from "#src/alerts/channels/channel-secrets.ts";
import { receiverSealContext } from "#src/claude-code/telemetry/receiver-url.rule.ts";
import type { Tx } from "#src/db/pool.ts";
import { tokenKeySealContext } from "#src/key-lookup/access-token-keys.ts";
import { waitingSecretSealContext } from "#src/keys/waiting-secrets/waiting-secrets.ts";
import { seal, unseal } from "#src/lib/seal.ts";
import { mailSealContext } from "#src/mail/queue-mail.ts";
import { directorySealContext } from "#src/people/directory/directory-secret.ts";
import { evidenceSealContext } from "#src/reviews/evidence-keys.ts";
import {
  headersSealContext,
  proxySealContext,
  upstreamSealContext,
} from "#src/upstreams/upstream-url.rule.ts";
import {
  lockSealedValues,
  type SealedPlace,
  type SealedRow,
  saveSealedValues,
} from "./sealed-values.sql.ts";

interface SealedColumn extends SealedPlace {
  contextOf: (row: SealedRow) => string;
}

/** Columns with values that the installation's secret seals. The audit log has its own. */
export const sealedColumns: readonly SealedColumn[] = [
  {
    table: "upstream",
    column: "credential_sealed",
    also: "base_url",
    contextOf: ({ id, also }) => upstreamSealContext(id, also),
  },
  {
    table: "upstream",
    column: "extra_headers_sealed",
    also: "base_url",
    contextOf: ({ id, also }) => headersSealContext(id, also),
  },
  {
    table: "upstream",
    column: "proxy_credential_sealed",
    also: "proxy_url",
    contextOf: ({ id, also }) => proxySealContext(id, also),
  },
  {
    table: "directory",
    column: "client_secret_sealed",
    also: "issuer",
    contextOf: ({ id, also }) => directorySealContext(id, also),
  },
  {
    table: "mail",
    column: "body_sealed",
    also: null,
    contextOf: ({ id }) => mailSealContext(id),
  },
  {
    table: "alert_channel",
    column: "target_sealed",
    also: null,
    contextOf: ({ id }) => targetSealContext(id),
  },
  {
    table: "alert_channel_secret",
    column: "secret_sealed",
    also: "alert_channel_id",
    contextOf: ({ also }) => secretSealContext(also),
  },
  {
    table: "evidence_key",
    column: "private_key_sealed",
    also: "encode(public_key, 'hex')",
    contextOf: ({ id, also }) => evidenceSealContext({ id, publicKey: Buffer.from(also, "hex") }),
  },
  {
    table: "waiting_secret",
    column: "secret_sealed",
    also: null,
    contextOf: ({ id }) => waitingSecretSealContext(id),
  },
  {
    table: "access_token_key",
    column: "key_sealed",
    also: null,
    contextOf: ({ id }) => tokenKeySealContext(id),
  },
  {
    table: "telemetry_receiver",
    column: "headers_sealed",
    also: "url",
    contextOf: ({ id, also }) => receiverSealContext(id, also),
  },
];

export interface Resealed {
  sealed: number;
  /** Values that the old key does not open. They stay as they are. */
  unreadable: number;
}

/** Seals the values of all columns again, for another key. */
export async function resealValues(
  tx: Tx,
  { from, to }: { from: Buffer; to: Buffer },
): Promise<Resealed> {
  const total = { sealed: 0, unreadable: 0 };
  for (const column of sealedColumns) {
    const rows = await lockSealedValues(tx, column);
    const changed = rows.flatMap((row) => {
      const context = column.contextOf(row);
      const value = openValue(from, row.sealed, context);
      return value === null ? [] : [{ id: row.id, sealed: seal(to, value, context) }];
    });
    if (changed.length > 0) await saveSealedValues(tx, column, changed);
    total.sealed += changed.length;
    total.unreadable += rows.length - changed.length;
  }
  return total;
}

function openValue(key: Buffer, sealed: Uint8Array, context: string): string | null {
  try {
    return unseal(key, sealed, context);
  } catch {
    return null;
  }
}
