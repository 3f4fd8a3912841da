import { refuseField } from "./refuse-field.ts";

/** Headers that belong to the connection or the body of a request. */
export const connectionHeaders: readonly string[] = [
  "connection",
  "content-encoding",
  "content-length",
  "content-type",
  "expect",
  "host",
  "keep-alive",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];

/**
 * Returns headers with names in lower case. Throws a 400 about `field` for two headers with one name, and for those of
 * `reserved`, which the server sets.
 */
export function parseSecretHeaders(
  headers: Readonly<Record<string, string>>,
  { field, reserved }: { field: string; reserved: readonly string[] },
): Record<string, string> {
  const parsed = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]);
  const names = parsed.map(([name = ""]) => name);
  const taken = names.find((name) => reserved.includes(name));
  if (taken !== undefined) throw refuseField(field, `the server sets ${taken} by itself.`);
  if (new Set(names).size < names.length) throw refuseField(field, "a name is listed twice.");
  return Object.fromEntries(parsed);
}
