import { refuseField } from "#src/domain/refuse-field.ts";
import { normalizeRange } from "#src/key-lookup/address-ranges.ts";

/** Returns the models as they are stored, without duplicates. Null: no restriction. Undefined: omitted. */
export function readAllowedModels<Input extends readonly string[] | null | undefined>(
  models: Input,
) {
  return models && [...new Set(models)];
}

/** Returns the address ranges as they are stored: normalized, without duplicates. Throws a 400 for an invalid range. */
export function readAllowedAddresses<Input extends readonly string[] | null | undefined>(
  addresses: Input,
) {
  return addresses && [...new Set(addresses.map(readRange))];
}

function readRange(text: string, index: number): string {
  const range = normalizeRange(text.trim());
  if (range !== null) return range;
  throw refuseField(
    `allowed_addresses.${index}`,
    `expected an address, or a range with zero bits after its prefix, such as ` +
      "203.0.113.9, 10.0.0.0/8 or 2001:db8::/32.",
  );
}
