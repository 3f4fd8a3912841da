import { ApiError } from "./api-error.ts";
import type { PeriodName } from "./spend-period.ts";

/** The limit behind a refusal, for clients that read it from headers. */
export interface RefusingLimit {
  period: PeriodName;
  limitNanoUsd: bigint;
  spentNanoUsd: bigint;
  /** End of the period, milliseconds since the epoch. */
  regainAtMs: number;
}

/** A refusal by a spend limit for which a retry is futile. `limit` is null where no end of a period changes it. */
export class SpendLimitError extends ApiError {
  readonly limit: RefusingLimit | null;

  constructor(message: string, limit: RefusingLimit | null) {
    super("spend_limit_reached", message, { "x-should-retry": "false" });
    this.limit = limit;
  }
}
