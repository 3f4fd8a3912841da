import { ApiError, type PlainErrorCode } from "./api-error.ts";

/**
 * The refusal of one field. `path` is its name on the wire, such as "scope.workspace_id". `why` follows that name in the
 * message, such as "expected a time in the future."
 */
export function refuseField(
  path: string,
  why: string,
  code: PlainErrorCode = "invalid_fields",
): ApiError {
  return new ApiError(
    code,
    `${path}: ${why}`,
    {},
    { fields: [{ path, message: toSentence(why) }] },
  );
}

/** The same text with a capital letter and a full stop, as a sentence of its own. */
export function toSentence(text: string): string {
  const sentence = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(sentence) ? sentence : `${sentence}.`;
}

/** The refusal of fields that do not go together. `message` is a sentence about all of them. */
export function refuseFields(message: string, paths: readonly string[]): ApiError {
  return new ApiError(
    "invalid_fields",
    message,
    {},
    {
      fields: paths.map((path) => ({ path, message })),
    },
  );
}
