import { makeExample, makeFieldExample } from "./make-example.ts";
import type { OperationDetails, OperationEntry, Shape } from "./reference.ts";

// One call of an operation in the code of each language. All text is quoted, so that no shell or language runs it as code.

export interface Sample {
  language: string;
  text: string;
}

export interface SampleOptions {
  entry: OperationEntry;
  details: OperationDetails;
  shapes: Readonly<Record<string, Shape>>;
  /** Address of this server. */
  baseUrl: string;
}

interface Call {
  method: string;
  url: string;
  /** Variable with the key. Null: the call needs no key. */
  keyVariable: string | null;
  body: unknown;
  isText: boolean;
}

const INDENT = 2;
const PYTHON_INDENT = 4;

/** Samples of an operation. Empty for one that only the browser of a signed-in member can call. */
export function writeSamples(options: SampleOptions): Sample[] {
  const { caller, commands = [] } = options.details;
  const command = commands.map((line) => `./bursar ${line}`).join("\n");
  const own = command === "" ? [] : [{ language: "Command", text: command }];
  if (caller === "session" || caller === "operator") return own;
  const call = makeCall(options);
  return [
    { language: "curl", text: toCurl(call) },
    { language: "TypeScript", text: toTypeScript(call) },
    { language: "Python", text: toPython(call) },
    ...own,
  ];
}

function makeCall({ entry, details, shapes, baseUrl }: SampleOptions): Call {
  const { parameters, body, response, caller } = details;
  const path = entry.path.replaceAll(/\{(\w+)\}/g, (whole, name: string) => {
    const parameter = parameters.find((each) => each.place === "path" && each.name === name);
    return parameter ? String(makeFieldExample(parameter, shapes)) : whole;
  });
  const query = parameters
    .filter(({ place, isRequired }) => place === "query" && isRequired)
    .map((field) => `${field.name}=${encodeURIComponent(String(makeFieldExample(field, shapes)))}`);
  const isClaude = /^\/v1\/(messages|models)/.test(entry.path);
  return {
    method: entry.method,
    url: baseUrl + path + (query.length > 0 ? `?${query.join("&")}` : ""),
    keyVariable: caller === "none" ? null : isClaude ? "API_KEY" : "ADMIN_KEY",
    body: body && makeExample(body.shape, shapes),
    isText: !response.mediaTypes.includes("application/json"),
  };
}

function toCurl({ method, url, keyVariable, body }: Call): string {
  const isImplied = method === (body === undefined ? "GET" : "POST");
  return [
    `curl ${isImplied ? "" : `-X ${method} `}${quoteForShell(url)}`,
    ...(keyVariable === null ? [] : [`-H "x-api-key: $${keyVariable}"`]),
    ...(body === undefined
      ? []
      : ["-H 'content-type: application/json'", `-d ${quoteForShell(toJson(body))}`]),
  ].join(" \\\n  ");
}

/** In single quotes, a shell treats only the quote itself as special. */
function quoteForShell(text: string): string {
  return /^[\w:/.?&=%-]+$/.test(text) && !text.includes("&")
    ? text
    : `'${text.replaceAll("'", "'\\''")}'`;
}

function toTypeScript({ method, url, keyVariable, body, isText }: Call): string {
  const headers = [
    ...(keyVariable === null ? [] : [`"x-api-key": process.env.${keyVariable} ?? ""`]),
    ...(body === undefined ? [] : ['"content-type": "application/json"']),
  ];
  const options = [
    ...(method === "GET" ? [] : [`  method: "${method}",`]),
    ...(headers.length === 0 ? [] : [`  headers: { ${headers.join(", ")} },`]),
    ...(body === undefined ? [] : [`  body: JSON.stringify(${indent(toJson(body), INDENT)}),`]),
  ];
  const call =
    options.length === 0
      ? [`const response = await fetch(${JSON.stringify(url)});`]
      : [`const response = await fetch(${JSON.stringify(url)}, {`, ...options, "});"];
  return [
    ...call,
    "if (!response.ok) throw new Error(await response.text());",
    `console.log(await response.${isText ? "text" : "json"}());`,
  ].join("\n");
}

function toPython({ method, url, keyVariable, body, isText }: Call): string {
  return [
    ...(keyVariable === null ? [] : ["import os", ""]),
    "import httpx",
    "",
    "response = httpx.request(",
    `    ${JSON.stringify(method)},`,
    `    ${JSON.stringify(url)},`,
    ...(keyVariable === null ? [] : [`    headers={"x-api-key": os.environ["${keyVariable}"]},`]),
    ...(body === undefined ? [] : [`    json=${indent(toPythonLiteral(body), PYTHON_INDENT)},`]),
    ")",
    "response.raise_for_status()",
    `print(response.${isText ? "text" : "json()"})`,
  ].join("\n");
}

function toJson(value: unknown): string {
  return JSON.stringify(value, null, INDENT);
}

function toPythonLiteral(value: unknown): string {
  if (value === null || value === undefined) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  const wrap = (open: string, close: string, lines: readonly string[]) =>
    lines.length === 0
      ? open + close
      : `${open}\n${lines.map((line) => `    ${indent(line, PYTHON_INDENT)},\n`).join("")}${close}`;
  if (Array.isArray(value)) return wrap("[", "]", value.map(toPythonLiteral));
  if (typeof value !== "object") return JSON.stringify(value);
  return wrap(
    "{",
    "}",
    Object.entries(value).map(
      ([name, each]) => `${JSON.stringify(name)}: ${toPythonLiteral(each)}`,
    ),
  );
}

function indent(text: string, spaces: number): string {
  return text.replaceAll("\n", `\n${" ".repeat(spaces)}`);
}
