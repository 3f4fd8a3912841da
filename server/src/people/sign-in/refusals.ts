import { ApiError } from "#src/domain/api-error.ts";
import { refuseField } from "#src/domain/refuse-field.ts";
import { COMPANY_SIGN_IN_REQUIRED, MEMBER_NOT_ACTIVE } from "#src/people/identity/auth-settings.ts";
import { companySignInRequired } from "#src/people/identity/company-sign-in.ts";

// Refusals of better-auth as API errors. All cases that could help a stranger share one answer.

const wrongPassword = () =>
  new ApiError("credentials_incorrect", "The address or the password is incorrect.");
const notActive = () =>
  new ApiError(
    "member_deactivated",
    "Your access to this organization has been deactivated. An Owner or Admin can restore it.",
  );
const challengeGone = () =>
  new ApiError(
    "sign_in_expired",
    "This sign-in has expired or had too many attempts. Start again.",
  );
export const wrongCode = () =>
  new ApiError("second_factor_incorrect", "This code is incorrect or was already used.");
const passkeyRefused = () =>
  new ApiError("passkey_unknown", "This passkey is unknown. Use another one or your password.");
const passkeyNotAdded = () =>
  refuseField(
    "passkey",
    "it could not be verified. Use a device that asks for your fingerprint, face or PIN, and start again.",
  );
export const wrongCurrentPassword = () =>
  new ApiError("password_incorrect", "The password is incorrect.");
export const linkGone = () =>
  new ApiError("link_invalid", "This link was already used or has expired. Request another one.");

const refusals: Readonly<Record<string, () => ApiError>> = {
  INVALID_EMAIL: wrongPassword,
  INVALID_EMAIL_OR_PASSWORD: wrongPassword,
  PASSWORD_TOO_LONG: wrongPassword,
  [MEMBER_NOT_ACTIVE]: notActive,
  [COMPANY_SIGN_IN_REQUIRED]: companySignInRequired,
  INVALID_TWO_FACTOR_COOKIE: challengeGone,
  TOO_MANY_ATTEMPTS_REQUEST_NEW_CODE: challengeGone,
  TOTP_NOT_ENABLED: challengeGone,
  BACKUP_CODES_NOT_ENABLED: challengeGone,
  INVALID_CODE: wrongCode,
  INVALID_BACKUP_CODE: wrongCode,
  CONFLICT: wrongCode, // the same backup code twice at the same moment
  INVALID_PASSWORD: wrongCurrentPassword,
  INVALID_TOKEN: linkGone,
  CHALLENGE_NOT_FOUND: passkeyRefused,
  PASSKEY_NOT_FOUND: passkeyRefused,
  AUTHENTICATION_FAILED: passkeyRefused,
  FAILED_TO_VERIFY_REGISTRATION: passkeyRefused,
  USER_NOT_VERIFIED: passkeyRefused,
};

/** Returns the refusal for a better-auth code. An unexpected code is a bug and throws. */
export function refusalOf(code: string): ApiError {
  const refusal = refusals[code];
  if (!refusal) throw new Error(`unexpected refusal of better-auth: ${code}`);
  return refusal();
}

/** Returns the refusal for a better-auth code while a passkey is added. */
export function passkeyRefusalOf(code: string): ApiError {
  const refusal = refusalOf(code);
  return refusal.code === "passkey_unknown" ? passkeyNotAdded() : refusal;
}
