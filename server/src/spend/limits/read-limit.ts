import { NEW_LIMIT_HOLD } from "@bursar/contract/admin/spend-limits.ts";
import { formatUsd } from "#src/domain/money.ts";
import { readAmount } from "#src/domain/read-amount.ts";
import { refuseField } from "#src/domain/refuse-field.ts";
import type { WantedLimit } from "./combine-values.rule.ts";

// Exact digits of a JSON number. Responses contain the limit as a number, so it cannot have more.
const MAX_DIGITS = 15;

/**
 * Reads the part of a limit that a body sets. An omitted `hold` stays as `own` has it, the present value of the rank.
 * Throws a 400 that names the field.
 */
export function readWantedLimit(
  field: string,
  amount: string | number,
  body: Pick<WantedLimit, "enforcement"> & {
    open_ended_hold_usd: string | number | null;
    unknown_features: WantedLimit["unknownFeatures"];
    hold?: WantedLimit["hold"] | undefined;
  },
): (own: WantedLimit | null) => WantedLimit {
  const wanted = {
    amountNanoUsd: readLimit(field, amount),
    enforcement: body.enforcement,
    openEndedHoldNanoUsd: readOpenEndedHold(body.open_ended_hold_usd),
    unknownFeatures: body.unknown_features,
  };
  return (own) => ({ ...wanted, hold: body.hold ?? own?.hold ?? NEW_LIMIT_HOLD });
}

/** Reads a limit in nano-USD. Throws a 400 that names the field. */
export function readLimit(field: string, amount: string | number): bigint {
  const nano = readAmount(field, amount);
  const digits = formatUsd(nano)
    .replace(".", "")
    .replace(/^0+|0+$/g, "");
  if (digits.length > MAX_DIGITS) {
    throw refuseField(field, `expected at most ${MAX_DIGITS} significant digits.`);
  }
  return nano;
}

/** Reads the hold of open-ended requests in nano-USD. Throws a 400 for 0: null removes the hold. */
function readOpenEndedHold(amount: string | number | null): bigint | null {
  if (amount === null) return null;
  const nanoUsd = readLimit("open_ended_hold_usd", amount);
  if (nanoUsd > 0n) return nanoUsd;
  throw refuseField("open_ended_hold_usd", "expected an amount above 0, or null.");
}
