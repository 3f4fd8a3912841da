import { refuseField } from "#src/domain/refuse-field.ts";
import { isStorableText } from "#src/lib/storable-text.ts";

const MAX_NAME = 100;

/**
 * Checks the text of path or query parameters before their schemas. Throws a 400 that names the parameter, because
 * PostgreSQL would refuse such text with its own error. `read-json.ts` does the same for bodies.
 */
export function checkText(parameters: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(parameters)) {
    const texts = Array.isArray(value) ? value : [value];
    if (texts.some((text) => typeof text === "string" && !isStorableText(text))) {
      throw refuseField(name.slice(0, MAX_NAME), "expected text without a NUL character.");
    }
  }
}
