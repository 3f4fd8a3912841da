// YAML of a JSON value. A text that YAML could read as another type is quoted. JSON's quoted form is valid YAML except
// for some characters, which are escaped.

const PLAIN = /^[A-Za-z][A-Za-z0-9_@./-]*( [A-Za-z0-9_@./-]+)*$/;
const WORD = /^(true|false|null|yes|no|on|off|y|n)$/i;
const UNPRINTABLE = /[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]/g;

export function formatYaml(value: unknown): string {
  return formatBlock(value, "").replace(/^\n/, "");
}

function formatBlock(value: unknown, indent: string): string {
  if (Array.isArray(value)) {
    if (value.length === 0) return "[]";
    return value
      .map((item) => `\n${indent}- ${formatBlock(item, `${indent}  `).trimStart()}`)
      .join("");
  }
  if (value !== null && typeof value === "object") {
    const entries = Object.entries(value).filter(([, each]) => each !== undefined);
    if (entries.length === 0) return "{}";
    return entries
      .map(
        ([name, each]) =>
          `\n${indent}${formatScalar(name)}:${addLeadingSpace(formatBlock(each, `${indent}  `))}`,
      )
      .join("");
  }
  return formatScalar(value);
}

function addLeadingSpace(text: string): string {
  return text.startsWith("\n") ? text : ` ${text}`;
}

function formatScalar(value: unknown): string {
  if (typeof value !== "string") return JSON.stringify(value);
  if (PLAIN.test(value) && !WORD.test(value)) return value;
  return JSON.stringify(value).replaceAll(
    UNPRINTABLE,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
