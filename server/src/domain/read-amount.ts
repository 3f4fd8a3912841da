import { MoneyError, parseUsd } from "./money.ts";
import { refuseField } from "./refuse-field.ts";

/** Reads US dollars from a field of a request, as nano-USD. Throws a 400 that names the field. */
export function readAmount(field: string, amount: string | number): bigint {
  try {
    return parseUsd(amount);
  } catch (error) {
    if (!(error instanceof MoneyError)) throw error;
    throw refuseField(field, `${error.message}.`);
  }
}
