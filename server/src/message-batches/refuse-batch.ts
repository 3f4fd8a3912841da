import { ApiError } from "#src/domain/api-error.ts";

// Refusals of a batch before its dispatch.

/** Refuses the body of a batch. `path`: the field at fault, such as `requests.17.custom_id`. */
export function refuseBatchBody(message: string, path?: string): ApiError {
  if (path === undefined) return new ApiError("invalid_body", message);
  return new ApiError("invalid_fields", message, {}, { fields: [{ path, message }] });
}

export function tooLarge(message: string): ApiError {
  return new ApiError("request_too_large", message);
}

/** The refusal of one request, with the place of the request in front of each field. */
export function refuseLine(error: ApiError, index: number): ApiError {
  const prefix = `requests.${index}.params`;
  const { fields } = error.details;
  const placed = new ApiError("invalid_fields", `${prefix}: ${error.message}`, error.headers, {
    fields: (fields ?? [{ path: "", message: error.message }]).map(({ path, message }) => ({
      path: path === "" ? prefix : `${prefix}.${path}`,
      message,
    })),
  });
  return Object.assign(placed, {
    code: error.code,
    status: error.status,
    type: error.type,
    details: { ...error.details, fields: placed.details.fields },
  });
}
