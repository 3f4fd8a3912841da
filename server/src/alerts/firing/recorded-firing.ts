import type { RandomBytes } from "#src/lib/ids.ts";
import type { NewFiring } from "./new-firing.rule.ts";

export interface AlertingDeps {
  /** Milliseconds since the epoch on the database's clock. */
  nowMs: () => number;
  randomBytes: RandomBytes;
  /** Seals messages and opens the addresses of channels. */
  sealingKey: Buffer;
  /** Base address of links in messages, without a trailing slash. */
  publicUrl: () => string;
}

/** A firing that the current transaction recorded. */
export interface RecordedFiring extends NewFiring {
  id: string;
  isMuted: boolean;
  firedAt: Date;
}
