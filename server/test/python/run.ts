// The clients of another language against a real server: the official Python SDK, in its current and its previous major
// version, `requests`, and schemathesis, which sends what the document at /openapi.json allows and what it does not.
// Usage: run.ts <python>, one that has requirements.txt installed. Ends in one line of counts.
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import {
  root,
  type ServerProcess,
  startServer,
  stopAllServers,
  temporaryFolder,
} from "#test/harness/server-process.ts";

const run = promisify(execFile);
const here = join(root, "server", "test", "python");
const CHECKS_MS = 300_000;
/**
 * Limit of each run of schemathesis. Other tests run beside it. For as many examples as in 30 seconds on a quiet machine it
 * then needs almost twice the time.
 */
const FUZZING_SECONDS = 55;
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

const conformance = [
  "--checks",
  [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
  ].join(","),
  "--phases",
  "examples,coverage,fuzzing",
  "--max-examples",
  "25",
];
const noServerError = [
  "--checks",
  "not_a_server_error",
  "--phases",
  "fuzzing",
  "--max-examples",
  "10",
];

interface Counts {
  passed: number;
  failed: number;
}

const [, , python = "python3"] = process.argv;
let total: Counts = { passed: 0, failed: 0 };
try {
  const server = await startServer();
  const env = await environment(server);
  total = sum(
    await checkSdks(env),
    await checkSdks({ ...env, PYTHONPATH: await installPrevious() }),
    await fuzz(server, env),
  );
  await server.stop();
} catch (error) {
  say(error instanceof Error ? (error.stack ?? error.message) : String(error));
  total = sum(total, { passed: 0, failed: 1 });
} finally {
  await stopAllServers();
}
say(`${total.passed} passed, ${total.failed} failed`);
process.exit(total.failed === 0 && total.passed > 0 ? 0 : 1);

type Environment = Record<string, string>;

async function environment(server: ServerProcess): Promise<Environment> {
  const { workspaceId, key } = await server.workspaceWithKey();
  const { PATH = "", HOME = "" } = process.env;
  return {
    PATH,
    HOME,
    PYTHONDONTWRITEBYTECODE: "1",
    BURSAR_URL: server.url,
    BURSAR_ADMIN_KEY: await server.adminKey(),
    BURSAR_API_KEY: key,
    BURSAR_WORKSPACE_ID: workspaceId,
  };
}

/** Old programs keep the SDK they have; both cannot be in one environment, so this one stands in a folder of its own. */
async function installPrevious(): Promise<string> {
  const folder = join(await temporaryFolder(), "previous sdk");
  const requirements = join(here, "requirements-previous.txt");
  const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
  const { stdout, stderr } = await run(python, [...pip, "--target", folder, "-r", requirements]);
  if (stdout + stderr !== "") say(stdout + stderr);
  return folder;
}

async function checkSdks(env: Environment): Promise<Counts> {
  const { output } = await runPython(env, [join(here, "check_sdks.py")]);
  say(output);
  const [, passed, failed] = /^(\d+) passed, (\d+) failed$/m.exec(output) ?? [];
  // Without its last line it broke off, which is a failure however much went well before.
  if (passed === undefined || failed === undefined) return { passed: 0, failed: 1 };
  return { passed: Number(passed), failed: Number(failed) };
}

/**
 * Every operation of the document, with the admin key: no answer may be a 5xx, and each has the status, the type and
 * the shape that the document declares. Operations with a credential of their own are fuzzed with theirs. Then all of
 * them once more with a NUL in each request.
 */
async function fuzz(server: ServerProcess, env: Environment): Promise<Counts> {
  const fuzzingKey = await server.mustAdmin("POST", "/v1/admin/admin_keys", { name: "fuzzing" });
  const adminKey = String(Object.entries(fuzzingKey).find(([name]) => name === "key")?.[1]);
  const { BURSAR_API_KEY: apiKey = "" } = env;
  // Revoking would sooner or later hit the key of this run.
  const revoking = ["--exclude-operation-id", "revokeAdminKey"];
  const claude = ["--exclude-path-regex", "^/v1/(admin|organizations)/"];
  const of = (surface: string) => ["--include-path-regex", `^/v1/${surface}/`, ...revoking];
  const counts = await Promise.all([
    runSchemathesis(server, env, adminKey, [...conformance, ...of("(admin|organizations)")]),
    runSchemathesis(server, env, apiKey, [...conformance, ...claude]),
  ]);
  // The hooks of nul_hooks.py put a NUL into each request.
  const withNul = { ...env, SCHEMATHESIS_HOOKS: "nul_hooks", PYTHONPATH: here };
  const countsWithNul = await Promise.all([
    runSchemathesis(server, withNul, adminKey, [...noServerError, ...of("admin")]),
    runSchemathesis(server, withNul, adminKey, [...noServerError, ...of("organizations")]),
    runSchemathesis(server, withNul, apiKey, [...noServerError, ...claude]),
  ]);
  return sum(...counts, ...countsWithNul);
}

async function runSchemathesis(
  server: ServerProcess,
  env: Environment,
  key: string,
  selection: readonly string[],
): Promise<Counts> {
  const { output, code } = await runPython(env, [
    "-m",
    "schemathesis.cli",
    "run",
    `${server.url}/openapi.json`,
    "--header",
    `x-api-key: ${key}`,
    ...selection,
    "--max-time",
    String(FUZZING_SECONDS),
    "--seed",
    "1",
    "--generation-database",
    "none",
    "--no-color",
    "--continue-on-failure",
  ]);
  // A run that reaches its limit before its first request passes too.
  if (code === 0 && !output.includes("No test cases were generated")) {
    say(output.slice(output.indexOf("= SUMMARY =")).replace(/^.*\n/, ""));
    return { passed: 1, failed: 0 };
  }
  say(output);
  return { passed: 0, failed: 1 };
}

async function runPython(
  env: Environment,
  args: readonly string[],
): Promise<{ output: string; code: number }> {
  const folder = await temporaryFolder();
  const options = { env, cwd: folder, timeout: CHECKS_MS, maxBuffer: MAX_OUTPUT_BYTES };
  try {
    const { stdout, stderr } = await run(python, [...args], options);
    return { output: stdout + stderr, code: 0 };
  } catch (error) {
    const {
      stdout = "",
      stderr = "",
      code,
    } = error as { stdout?: string; stderr?: string; code?: unknown };
    return { output: stdout + stderr, code: typeof code === "number" ? code : 1 };
  }
}

function sum(...counts: readonly Counts[]): Counts {
  return counts.reduce((a, b) => ({ passed: a.passed + b.passed, failed: a.failed + b.failed }));
}

function say(text: string): void {
  process.stdout.write(`${text.trimEnd()}\n`);
}
