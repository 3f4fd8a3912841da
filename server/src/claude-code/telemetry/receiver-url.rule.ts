import type { ApiError } from "#src/domain/api-error.ts";
import { refuseField } from "#src/domain/refuse-field.ts";

/** Returns a URL as it is stored: origin and path, without a slash at its end. Throws a 400. */
export function parseReceiverUrl(
  text: string,
  findMistake: (url: string) => string | null,
): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null) throw refuseUrl("expected a URL such as https://otel.example.com:4318");
  const mistake = findMistake(text);
  if (mistake !== null) throw refuseUrl(mistake);
  if (url.search !== "" || /[?#]/.test(text)) throw refuseUrl("expected no query and no fragment");
  const path = url.pathname.replace(/\/+$/, "");
  if (/\/v1(\/(metrics|logs|traces))?$/.test(path)) {
    throw refuseUrl("expected a URL without /v1, because paths such as /v1/metrics are added");
  }
  return url.origin + path;
}

/** Seal context of headers: their row and origin. In another row or for another origin they cannot be decrypted. */
export function receiverSealContext(receiverId: string, url: string): string {
  return `telemetry receiver ${receiverId} ${new URL(url).origin}`;
}

function refuseUrl(reason: string): ApiError {
  return refuseField("url", `${reason}.`);
}
