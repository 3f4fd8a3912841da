// Runs Python clients against a real server: the official SDK in its current and previous major version, and in the modes of
// cloud platforms. The OpenAI SDK, `requests`, scim2-tester, focus-validator, schemathesis, the programs of `examples/` and the
// code of the page Connect run too. Schemathesis sends requests that /openapi.json allows, and requests that it forbids.
// Usage: run.ts <python> [factor] [seed]. The Python has requirements.txt installed. The integer factor multiplies
// the cases of each operation, and the seed selects them. Both default to 1. Prints a line of counts at the end.
import { execFile } from "node:child_process";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { readGuideSample, runGuideSample } from "#test/harness/guide-samples.ts";
import {
  root,
  type ServerProcess,
  startServer,
  stopAllServers,
  temporaryFolder,
  textField,
} from "#test/harness/server-process.ts";

const run = promisify(execFile);
const here = join(root, "server", "test", "python");
/** Catches hangs only. Cases bound a run. */
const CHECKS_MS = 600_000;
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

const [, , python = "python3", factor = "1", seed = "1"] = process.argv;
interface Cases {
  /** The coverage phase sends one case of this number. */
  coverageStep: number;
  /** Cases of each operation in the fuzzing phase. */
  fuzzing: number;
}
/** Steps of a run without a factor. A factor of 8 runs all cases of the coverage phase. */
const coverageStep = (step: number) => Math.max(1, Math.round(step / Number(factor)));
/**
 * The coverage phase has 21,500 cases for 325 operations. All 13,000 cases of 198 operations found 3,900 different pairs of
 * operation and response, and one of four found 1,600.
 */
const ADMIN_CASES: Cases = { coverageStep: coverageStep(8), fuzzing: 3 * Number(factor) };
/** The Claude surface has only 19 operations, with 664 cases of the coverage phase. */
const CLAUDE_CASES: Cases = { coverageStep: coverageStep(2), fuzzing: 8 * Number(factor) };

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
];
const noServerError = ["--checks", "not_a_server_error", "--phases", "fuzzing"];

const connectSamples = [
  "Python",
  "OpenAI Python",
  "Python in Bedrock mode",
  "Python in Vertex mode",
];
const pythonExamples = ["python-sdk", "langchain-python", "pydantic-ai"];

interface Counts {
  passed: number;
  failed: number;
}

let total: Counts = { passed: 0, failed: 0 };
try {
  const server = await startServer();
  const env = await environment(server);
  total = sum(
    await checkConnectSamples(server, env),
    await checkSdks(env),
    await runChecks(env, "check_operations.py"),
    await checkExamples(server, env),
    await checkSdks({ ...env, PYTHONPATH: await installPrevious() }),
    await runChecks(env, "check_openai.py"),
    await runChecks(env, "check_platforms.py"),
    await checkScim(server, env),
    await checkFocus(server, env),
    await fuzz(server, env),
  );
  await server.stop();
} catch (error) {
  printLine(error instanceof Error ? (error.stack ?? error.message) : String(error));
  total = sum(total, { passed: 0, failed: 1 });
} finally {
  await stopAllServers();
}
printLine(`${total.passed} passed, ${total.failed} failed`);
process.exit(total.failed === 0 && total.passed > 0 ? 0 : 1);

type Environment = Record<string, string>;

async function environment(server: ServerProcess): Promise<Environment> {
  const { workspaceId, key } = await server.workspaceWithKey();
  const { PATH = "", HOME = "" } = process.env;
  return {
    PATH,
    HOME,
    PYTHONPYCACHEPREFIX: join(await temporaryFolder(), "compiled python"),
    HYPOTHESIS_STORAGE_DIRECTORY: join(await temporaryFolder(), "hypothesis"),
    BURSAR_URL: server.url,
    BURSAR_ADMIN_KEY: await server.adminKey(),
    BURSAR_API_KEY: key,
    BURSAR_WORKSPACE_ID: workspaceId,
    BURSAR_MEMBER_ID: await createMember(server),
  };
}

/** Creates a member by an invite, whose link only the operator sees. */
async function createMember(server: ServerProcess): Promise<string> {
  const invite = { emails: ["ada@example.com"], role: "developer" };
  const invited = await server.mustOperator("POST", "/v1/admin/invites", invite);
  const token = /#token=([^"]+)/.exec(JSON.stringify(invited))?.[1] ?? "";
  const response = await fetch(`${server.url}/v1/admin/invites/accept`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "x-bursar-console": "1",
      origin: server.url,
    },
    body: JSON.stringify({ token, name: "Ada", password: "kepler owns 41 telescopes of brass" }),
  });
  const text = await response.text();
  const { member_id: id } = JSON.parse(text) as { member_id?: string };
  if (id === undefined) throw new Error(`The invite was not accepted: ${text}`);
  return id;
}

/**
 * Existing programs keep their SDK version. Two versions cannot share an environment, so this one has its own folder. Its
 * dependencies are those of the current version, which pip checks. The two commands take 1.9 s of CPU time instead of 5.3 s.
 */
async function installPrevious(): Promise<string> {
  const folder = join(await temporaryFolder(), "previous sdk");
  const requirements = join(here, "requirements-previous.txt");
  const pip = ["-m", "pip", "--disable-pip-version-check"];
  const install = ["install", "--quiet", "--no-compile", "--no-deps", "--target", folder];
  const { stdout, stderr } = await run(python, [...pip, ...install, "-r", requirements]);
  if (stdout + stderr !== "") printLine(stdout + stderr);
  // Throws when a dependency is missing or has an unsupported version.
  await run(python, [...pip, "check"], { env: { ...process.env, PYTHONPATH: folder } });
  return folder;
}

/** Runs the code of the page Connect. */
async function checkConnectSamples({ url }: ServerProcess, env: Environment): Promise<Counts> {
  const { BURSAR_API_KEY: key = "", PATH = "" } = env;
  const counts = connectSamples.map(async (client) => {
    const output = await runGuideSample(readGuideSample(client, { url, key }), {
      folder: await temporaryFolder(),
      env: { ...env, PATH: `${dirname(python)}:${PATH}` },
    });
    const isAnswered = output.includes("You wrote: Hello, Claude");
    printLine(`${isAnswered ? "ok     " : "FAILED "} the page Connect: ${client}`);
    return { passed: Number(isAnswered), failed: Number(!isAnswered) };
  });
  return sum(...(await Promise.all(counts)));
}

/** Runs the programs of `examples/` for Python. */
async function checkExamples({ url }: ServerProcess, env: Environment): Promise<Counts> {
  const { BURSAR_API_KEY: key = "", ...rest } = env;
  const access = { ...rest, ANTHROPIC_BASE_URL: url, ANTHROPIC_API_KEY: key };
  const counts = pythonExamples.map(async (name) => {
    const { output } = await runPython(access, [join(root, "examples", name, "main.py")]);
    const isAnswered = output.includes("You wrote: Hello, Claude");
    printLine(`${isAnswered ? "ok     " : "FAILED "} examples/${name}`);
    if (!isAnswered) printLine(output);
    return { passed: Number(isAnswered), failed: Number(!isAnswered) };
  });
  return sum(...(await Promise.all(counts)));
}

function checkSdks(env: Environment): Promise<Counts> {
  return runChecks(env, "check_sdks.py");
}

/** Runs scim2-tester with the token of a new directory. */
async function checkScim(server: ServerProcess, env: Environment): Promise<Counts> {
  const directory = await server.mustOperator("POST", "/v1/admin/directories", {
    ...{ name: "SCIM", issuer: "https://scim.example.com", allowed_domains: ["example.com"] },
  });
  const tokens = `/v1/admin/directories/${textField(directory, "id")}/scim_tokens`;
  const made = await server.mustOperator("POST", tokens);
  return runChecks({ ...env, BURSAR_SCIM_TOKEN: textField(made, "token") }, "check_scim.py");
}

/**
 * Checks the file of a statement with focus-validator. The simulator's requests are in no statement, so a row of the rollup
 * per month stands for usage.
 */
async function checkFocus(server: ServerProcess, env: Environment): Promise<Counts> {
  const month = new Date().toISOString().slice(0, 7);
  const start = `${month}-01T00:00:00Z`;
  const key =
    "SELECT organization_id, workspace_id, id FROM api_key WHERE workspace_id = $2 LIMIT 1";
  const values = [start, env["BURSAR_WORKSPACE_ID"]];
  await server.sql(
    `INSERT INTO usage_month SELECT ($1::timestamptz), organization_id, workspace_id, id, '', 'claude-sonnet-5',
       'standard', '0-200k', 'us', 'standard', 'curl', 'answered', 3, 0, 0, 0, 1500001, 0, 0, 20, 7, 2, 4500003000, 0, 0,
       6000, 105000, 20000000, 4520114000, 0 FROM (${key}) AS key`,
    values,
  );
  await server.sql(
    `INSERT INTO spend_adjustment (id, organization_id, workspace_id, api_key_id, request_id, started_at, cost_nano_usd,
       reason) SELECT 'adj_focus', organization_id, workspace_id, id, 'req_focus', $1::timestamptz, -31, 'A credit.'
       FROM (${key}) AS key`,
    values,
  );
  const term = { from_month: month, discount_percent: "12.5" };
  await server.mustOperator("POST", "/v1/admin/contract_terms", term);
  return runChecks({ ...env, BURSAR_MONTH: month }, "check_focus.py");
}

async function runChecks(env: Environment, file: string): Promise<Counts> {
  const { output } = await runPython(env, [join(here, file)]);
  printLine(output);
  const [, passed, failed] = /^(\d+) passed, (\d+) failed$/m.exec(output) ?? [];
  // Output without its last line broke off, which is a failure in any case.
  if (passed === undefined || failed === undefined) return { passed: 0, failed: 1 };
  return { passed: Number(passed), failed: Number(failed) };
}

/**
 * Sends every operation of the document with the admin key. No response may be a 5xx, and each has the declared
 * status, type and shape. Operations with another credential are fuzzed with theirs. A second run sends them with a NUL
 * in each request. A factor above 1 does this with the others too: `hostile-input.test.ts` puts a NUL into each of their
 * parameters and fields, and expects the exact 400.
 */
async function fuzz(server: ServerProcess, env: Environment): Promise<Counts> {
  const fuzzingKey = await server.mustAdmin("POST", "/v1/admin/admin_keys", { name: "fuzzing" });
  const adminKey = String(Object.entries(fuzzingKey).find(([name]) => name === "key")?.[1]);
  const { BURSAR_API_KEY: apiKey = "" } = env;
  // Revoking would eventually hit the key of this run.
  const revoking = ["--exclude-operation-id", "revokeAdminKey"];
  const claude = ["--exclude-path-regex", "^/v1/(admin|organizations)/"];
  const of = (surface: string) => ["--include-path-regex", `^/v1/${surface}/`, ...revoking];
  const admin = of("(admin|organizations)");
  // Two of three generated requests would have a cookie beside the key, which the server refuses before the
  // operation.
  const withKeyAlone = ["--generation-with-security-parameters", "false"];
  const withHooks = { ...env, SCHEMATHESIS_HOOKS: "document_hooks", PYTHONPATH: here };
  // The hooks of nul_hooks.py put a NUL into each request.
  const withNul = { ...withHooks, SCHEMATHESIS_HOOKS: "nul_hooks" };
  // The first run is alone. The others use its compiled modules and hypothesis's tables of characters. All four take 36 s of
  // processor time instead of 40 s.
  const first = await runSchemathesis(server, withHooks, apiKey, CLAUDE_CASES, [
    ...conformance,
    ...claude,
  ]);
  const counts = await Promise.all([
    runSchemathesis(server, withHooks, adminKey, ADMIN_CASES, [
      ...conformance,
      ...withKeyAlone,
      ...admin,
    ]),
    runSchemathesis(server, withNul, apiKey, CLAUDE_CASES, [...noServerError, ...claude]),
  ]);
  if (Number(factor) === 1) return sum(first, ...counts);
  const last = await runSchemathesis(server, withNul, adminKey, ADMIN_CASES, [
    ...noServerError,
    ...withKeyAlone,
    ...admin,
  ]);
  return sum(first, ...counts, last);
}

async function runSchemathesis(
  server: ServerProcess,
  env: Environment,
  key: string,
  cases: Cases,
  selection: readonly string[],
): Promise<Counts> {
  const bounded = { ...env, COVERAGE_STEP: String(cases.coverageStep) };
  const { output, code } = await runPython(bounded, [
    "-m",
    "schemathesis.cli",
    "run",
    `${server.url}/openapi.json`,
    "--header",
    `x-api-key: ${key}`,
    ...selection,
    "--max-examples",
    String(cases.fuzzing),
    "--seed",
    seed,
    "--generation-database",
    "none",
    "--no-color",
    "--continue-on-failure",
  ]);
  // A run that reaches its limit before its first request passes too.
  if (code === 0 && !output.includes("No test cases were generated")) {
    printLine(output.slice(output.indexOf("= SUMMARY =")).replace(/^.*\n/, ""));
    return { passed: 1, failed: 0 };
  }
  printLine(output);
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

function printLine(text: string): void {
  process.stdout.write(`${text.trimEnd()}\n`);
}
