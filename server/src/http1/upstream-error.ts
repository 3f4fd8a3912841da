/** Codes of undici for the same failures, so that messages and logs are the same with both clients. */
type UpstreamErrorCode =
  | "UND_ERR_CONNECT_TIMEOUT"
  | "UND_ERR_HEADERS_TIMEOUT"
  | "UND_ERR_BODY_TIMEOUT"
  | "UND_ERR_SOCKET"
  | "UND_ERR_INVALID_ARG"
  | "UND_ERR_CLOSED"
  | "UND_ERR_DESTROYED"
  | "HPE_INVALID_RESPONSE"
  // No other client has a code for it.
  | "PROXY_REFUSED";

/** Failure of a call that no error of Node explains. */
export class UpstreamError extends Error {
  readonly code: UpstreamErrorCode;

  constructor(code: UpstreamErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
