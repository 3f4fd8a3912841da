import { symmetricDecrypt, symmetricEncrypt } from "better-auth/crypto";
import type { Tx } from "#src/db/pool.ts";
import { AUTH_SECRET_VERSION, deriveAuthSecret } from "./auth-settings.ts";
import { lockTwoFactors, saveTwoFactor } from "./two-factors.sql.ts";

/**
 * Seals the secrets of authenticator apps and the backup codes again, for another sealing key. Values that `from` does not
 * open stay as they are.
 */
export async function resealTwoFactors(
  tx: Tx,
  { from, to }: { from: Buffer; to: Buffer },
): Promise<{ sealed: number; unreadable: number }> {
  const keys = { from: makeKeys(from), to: makeKeys(to) };
  let sealed = 0;
  let unreadable = 0;
  for (const { id, secret, backupCodes } of await lockTwoFactors(tx)) {
    const opened = await openAll(keys.from, [secret, backupCodes]);
    if (opened === null) {
      unreadable += 1;
      continue;
    }
    const [newSecret = "", newCodes = ""] = await Promise.all(
      opened.map((data) => symmetricEncrypt({ key: keys.to, data })),
    );
    await saveTwoFactor(tx, { id, secret: newSecret, backupCodes: newCodes });
    sealed += 1;
  }
  return { sealed, unreadable };
}

/** Opens the values of one row. Null: the key does not open them. */
async function openAll(key: AuthKeys, values: readonly string[]): Promise<string[] | null> {
  try {
    return await Promise.all(values.map((data) => symmetricDecrypt({ key, data })));
  } catch {
    return null;
  }
}

type AuthKeys = ReturnType<typeof makeKeys>;

function makeKeys(sealingKey: Buffer) {
  const keys = new Map([[AUTH_SECRET_VERSION, deriveAuthSecret(sealingKey)]]);
  return { keys, currentVersion: AUTH_SECRET_VERSION };
}
