import type { RandomBytes } from "#src/lib/ids.ts";
import type { NewFiring } from "./new-firing.rule.ts";

export interface AlertingDeps {
  /** Milliseconds since the epoch on the database's clock. */
  nowMs: () => number;
  randomBytes: RandomBytes;
  /** Seals messages and opens the addresses of channels. */
  sealingKey: Buffer;
  /** Where links in messages lead, without a slash at the end. */
  publicUrl: () => string;
}

/** A firing that is on record since this transaction. */
export interface RecordedFiring extends NewFiring {
  id: string;
  isMuted: boolean;
  firedAt: Date;
}
