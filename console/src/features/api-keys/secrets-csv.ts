interface NewSecret {
  id: string;
  name: string;
  /** Null: the secret waits for the owner of the key. */
  key: string | null;
}

/** CSV of new secrets, one key for each line. No cell is a formula for a spreadsheet. */
export function toSecretsCsv(keys: readonly NewSecret[], workspace: string): string {
  const lines = keys.map(({ id, name, key }) => [name, id, workspace, key ?? ""]);
  return [["name", "id", "workspace", "key"], ...lines]
    .map((cells) => `${cells.map(toCell).join(",")}\r\n`)
    .join("");
}

function toCell(text: string): string {
  const inert = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(inert) ? `"${inert.replaceAll('"', '""')}"` : inert;
}
