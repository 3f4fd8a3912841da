/** Field of a subject before and after a change. Undefined: absent. */
export interface FieldChange {
  name: string;
  before: string | undefined;
  after: string | undefined;
  isChanged: boolean;
}

type Shown = Record<string, unknown> | null;

/** Fields of both states, changed ones first, otherwise in the order of the subject. */
export function compareFields(before: Shown, after: Shown): FieldChange[] {
  const names = new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})]);
  const fields = [...names].map((name) => {
    const [old, fresh] = [toText(before, name), toText(after, name)];
    return { name, before: old, after: fresh, isChanged: old !== fresh };
  });
  return [...fields.filter((field) => field.isChanged), ...fields.filter((f) => !f.isChanged)];
}

function toText(shown: Shown, name: string): string | undefined {
  if (shown === null || !Object.hasOwn(shown, name)) return undefined;
  const value = shown[name];
  if (value === null) return "none";
  return typeof value === "string" ? value : JSON.stringify(value, null, 1);
}
