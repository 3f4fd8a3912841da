import { ApiError } from "#src/domain/api-error.ts";

// Refusals of a batch before its dispatch.

export function refuseBatchBody(message: string): ApiError {
  return new ApiError("invalid_body", message);
}

export function tooLarge(message: string): ApiError {
  return new ApiError("request_too_large", message);
}

/** The refusal of one request, with the place of the request in front of each field. */
export function refuseLine(error: ApiError, index: number): ApiError {
  const prefix = `requests.${index}.params`;
  const fields = error.details.fields ?? [{ path: "", message: error.message }];
  const namesField = fields.some(({ path }) => error.message.startsWith(`${path}: `));
  const message = `${prefix}${namesField ? "." : ": "}${error.message}`;
  const placed = new ApiError("invalid_fields", message, error.headers, {
    fields: fields.map((field) => ({
      path: field.path === "" ? prefix : `${prefix}.${field.path}`,
      message: field.message,
    })),
  });
  return Object.assign(placed, {
    code: error.code,
    status: error.status,
    type: error.type,
    details: { ...error.details, fields: placed.details.fields },
  });
}
