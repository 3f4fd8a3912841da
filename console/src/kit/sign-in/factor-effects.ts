import { formatPlural, formatRelative } from "../../ui/format.ts";

// Effects of changes of the own passkeys and second factor, as sentences.

interface RemovedPasskey {
  passkey: { last_used_at: string | null };
  /** Other passkeys of the member. */
  others: number;
  hasPassword: boolean;
  hasApp: boolean;
  nowMs: number;
}

/** Effects of a removed passkey. */
export function describeRemovedPasskey(removed: RemovedPasskey): string[] {
  const { passkey, others, hasPassword, hasApp, nowMs } = removed;
  const use = passkey.last_used_at;
  return [
    use === null
      ? "The passkey was never used to sign in."
      : `You last signed in with it ${formatRelative(use, nowMs)}.`,
    others > 0
      ? `${formatPlural(others, "other passkey still signs", "other passkeys still sign")} you in.`
      : describeRest(hasPassword, hasApp),
  ];
}

function describeRest(hasPassword: boolean, hasApp: boolean): string {
  if (!hasPassword) return "This is your last passkey, and you have no usable password.";
  const factor = hasApp ? "password and the authenticator app" : "password alone";
  return `This is your last passkey. You then sign in with the ${factor}.`;
}

interface SecondFactors {
  backup_codes_left: number;
  passkeys: number;
}

/** Effects of a second factor that is turned off. */
export function describeDisabledFactor({ backup_codes_left, passkeys }: SecondFactors): string[] {
  return [
    "The password alone then signs you in.",
    ...describeCodes(backup_codes_left),
    ...(passkeys > 0
      ? [`${formatPlural(passkeys, "passkey still signs", "passkeys still sign")} you in.`]
      : []),
  ];
}

/** Effects of new backup codes. */
export function describeNewCodes({ backup_codes_left }: SecondFactors): string[] {
  return describeCodes(backup_codes_left);
}

function describeCodes(count: number): string[] {
  return count === 0
    ? []
    : [`${formatPlural(count, "stored backup code stops", "stored backup codes stop")} working.`];
}
