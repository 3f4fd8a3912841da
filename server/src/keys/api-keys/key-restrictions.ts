import { refuseField } from "#src/domain/refuse-field.ts";
import { normalizeRange } from "#src/key-lookup/address-ranges.ts";

/** The models as they are kept: each once. Null is no restriction, undefined is not asked for. */
export function readAllowedModels<Asked extends readonly string[] | null | undefined>(
  asked: Asked,
) {
  return asked && [...new Set(asked)];
}

/** The addresses as they are kept: one spelling, each once. Throws a 400 for what is neither address nor range. */
export function readAllowedAddresses<Asked extends readonly string[] | null | undefined>(
  asked: Asked,
) {
  return asked && [...new Set(asked.map(readRange))];
}

function readRange(text: string, index: number): string {
  const range = normalizeRange(text.trim());
  if (range !== null) return range;
  throw refuseField(
    `allowed_addresses.${index}`,
    `expected an address or a range whose bits behind the prefix are 0, such as ` +
      "203.0.113.9, 10.0.0.0/8 or 2001:db8::/32.",
  );
}
