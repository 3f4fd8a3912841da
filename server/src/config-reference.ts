import { type Setting, settings } from "./config.ts";

/** Renders the reference of all settings as Markdown, the text of `docs/guides/configuration.md`. */
export function settingsReference(): string {
  const rows = Object.values<Setting>(settings).map(({ env, fallback, isSecret, about }) => {
    const name = isSecret ? `\`${env}\`, \`${env}_FILE\`` : `\`${env}\``;
    return `| ${name} | ${fallback ? `\`${fallback}\`` : ""} | ${about} |`;
  });
  return [
    "# Configuration",
    "",
    "Use this page to find a setting. The next start applies a change.",
    "",
    "```sh",
    "BURSAR_PORT=9000 npm start",
    "./bursar config             # prints each setting with its source",
    "```",
    "",
    "| source, in order of priority | form |",
    "|---|---|",
    "| environment | `BURSAR_DATA_DIR=/var/lib/bursar`. For a secret also the name of a file, in the variable that ends in `_FILE`. |",
    '| `bursar.toml` in the folder of the clone | the name in lower case, without `BURSAR_`: `data_dir = "/var/lib/bursar"` |',
    "| default | the table below |",
    "",
    "An unknown name is an error. Durations have the form `500ms`, `30s`, `5m` or `1h`, and sizes the form `500MB` or `20GB`.",
    "",
    "| setting | default | meaning |",
    "|---|---|---|",
    ...rows,
    "",
  ].join("\n");
}
