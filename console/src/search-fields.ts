// Search parameters of addresses, declared field by field. Schemas of zod/mini would add 7 kB to the first load.

/** Reads one parameter. Undefined: the parameter is absent or invalid. */
type Field<Value> = (raw: unknown) => Value | undefined;

/** Parameters of an address. Each one can be absent. */
export type SearchOf<Fields> = {
  [Name in keyof Fields]?: Fields[Name] extends Field<infer Value> ? Value | undefined : never;
};

/** Returns a function that reads the declared parameters and leaves out the rest. */
export function makeSearchReader<Fields extends Record<string, Field<unknown>>>(
  fields: Fields,
): (raw: Record<string, unknown>) => SearchOf<Fields> {
  return (raw) => {
    const read = Object.entries(fields).map(([name, field]) => [name, field(raw[name])] as const);
    return Object.fromEntries(read.filter(([, value]) => value !== undefined)) as SearchOf<Fields>;
  };
}

export const oneOf =
  <Value>(values: readonly Value[]): Field<Value> =>
  (raw) =>
    values.find((value) => value === raw);

/** Any of the values, in their order here. A single one needs no list. */
export const someOf =
  <Value>(values: readonly Value[]): Field<Value[]> =>
  (raw) => {
    const found = values.filter((value) =>
      Array.isArray(raw) ? raw.includes(value) : raw === value,
    );
    return found.length > 0 ? found : undefined;
  };

/** Text that is cut at the maximum length. */
export const text =
  (maxLength: number): Field<string> =>
  (raw) =>
    typeof raw === "string" && raw !== "" ? raw.slice(0, maxLength) : undefined;

/** Text of a pattern. The router parses texts of digits as numbers. */
export const matching =
  (pattern: RegExp): Field<string> =>
  (raw) => {
    const value = typeof raw === "number" ? String(raw) : raw;
    return typeof value === "string" && pattern.test(value) ? value : undefined;
  };

const DAY = matching(/^\d{4}-\d{2}-\d{2}$/);

/** Day that exists, such as `2026-11-24`. */
export const day: Field<string> = (raw) => {
  const value = DAY(raw);
  return value === undefined || Number.isNaN(Date.parse(value)) ? undefined : value;
};

/** Positive integer, at most the maximum. */
export const count =
  (max: number): Field<number> =>
  (raw) =>
    Number.isInteger(raw) && Number(raw) > 0 ? Math.min(Number(raw), max) : undefined;

const MAX_VALUES = 100;
const MAX_VALUE_LENGTH = 256;

/** List of texts. Longer ones are left out. */
export const texts: Field<string[]> = (raw) => {
  if (!Array.isArray(raw)) return undefined;
  const isText = (value: unknown) => typeof value === "string" && value.length <= MAX_VALUE_LENGTH;
  const found = raw.filter(isText).slice(0, MAX_VALUES);
  return found.length > 0 ? found : undefined;
};
