import { deepEqual } from "node:assert/strict";
import { errorBody } from "@bursar/contract/error-body.ts";
import { type ErrorCode, errorCodes } from "@bursar/contract/errors.ts";

/** Throws unless the body is a refusal of the contract's list, with the status, the type and all facts of its code. */
export function checkRefusal(status: number, body: unknown): void {
  const { error } = errorBody.parse(body);
  const { error_code: code, fields, retry_after_seconds: _, ...facts } = error.details ?? {};
  const cause = Object.hasOwn(errorCodes, code ?? "") ? errorCodes[code as ErrorCode] : null;
  deepEqual({ code, status, type: error.type }, { code, status: cause?.status, type: cause?.type });
  const expected = cause !== null && "facts" in cause ? cause.facts : [];
  deepEqual({ code, facts: Object.keys(facts).sort() }, { code, facts: [...expected].sort() });
  // Each field's sentence belongs to the message, or the message is about all of them.
  if (code === "invalid_fields")
    deepEqual(
      { body, isListed: true },
      { body, isListed: fields !== undefined && fields.length > 0 },
    );
}
