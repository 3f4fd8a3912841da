import { open, rm } from "node:fs/promises";
import { Transform } from "node:stream";
import { CommandError, exitCodes } from "./command-error.ts";
import { type CommandShape, hasDryRun, type RouteInput, readInput } from "./command-input.ts";
import { type Connection, call, streamResponse } from "./connection.ts";
import { targetOf } from "./local-api.ts";
import { makeUsageError } from "./read-value.ts";
import { type ListAll, resolveNames } from "./resolve-names.ts";
import { isList, type RouteCommand } from "./route-commands.ts";
import { replaceControlCharacters, type Terminal } from "./terminal.ts";
import { toJson } from "./to-json.ts";
import { type Format, type Pages, writeAnswer, writeList } from "./write-answer.ts";

/** Dependencies of a command that calls a route. */
export interface RunContext {
  connect(): Promise<Connection>;
  terminal: Terminal;
  nowMs: number;
}

/** Flags of the command itself, in addition to the route's. */
export interface RunOptions extends Record<string, unknown> {
  format?: Format;
  yes?: true;
  dryRun?: true;
  idempotencyKey?: string;
  limit?: string;
  page?: string;
  all?: true;
  output?: string;
}

/** The server's maximum page size. */
const PAGE_SIZE = 1000;
/** Maximum number of entries that a list prints by default. */
export const DEFAULT_LIMIT = 100;
const DESTRUCTIVE = /^(archive|delete|remove|revoke|deactivate|end|cutOff)([A-Z]|$)/;

/** Reads the input, calls the route and prints the response. Throws CommandError on failure. */
export async function runRoute(
  command: RouteCommand,
  shape: CommandShape,
  written: { args: readonly (string | string[] | undefined)[]; options: RunOptions },
  context: RunContext,
): Promise<void> {
  const { options } = written;
  const { terminal } = context;
  const format = options.format ?? "auto";
  const asked = await readInput(command, shape, written, context);
  const connection = await context.connect();
  const input = await resolveNames(asked, makeListAll(connection));
  const target = targetOf(command.route, input);
  if (options.dryRun && !hasDryRun(command)) {
    const body = withoutSecrets(input.body, shape);
    terminal.print(toJson({ method: command.route.method, target, body }, true));
    return;
  }
  await confirmCall(command, input, options, terminal);
  if (command.route.streams) {
    await writeStream(connection, target, options.output, terminal);
    return;
  }
  const writing = { route: command.route, format, terminal };
  if (isPaged(command)) {
    await list({ connection, command, input, options, writing });
    return;
  }
  const answer = (await call(connection, {
    method: command.route.method,
    target,
    body: input.body && JSON.stringify(input.body),
    ...(options.idempotencyKey !== undefined && {
      headers: { "idempotency-key": options.idempotencyKey },
    }),
    ...(command.style.timeoutMs !== undefined && { timeoutMs: command.style.timeoutMs }),
  })) as Record<string, unknown>;
  if (isList(command.route)) {
    const entries = answer["data"] as Record<string, unknown>[];
    writeList({ first: answer, entries }, writing);
  } else {
    writeAnswer(answer, writing);
  }
  for (const note of command.style.listNotes?.(answer) ?? []) {
    terminal.note(replaceControlCharacters(note));
  }
  const found = command.style.findFault?.(answer) ?? null;
  if (found !== null) throw new CommandError(found, exitCodes.error);
}

function withoutSecrets(body: RouteInput["body"], { flags }: CommandShape): RouteInput["body"] {
  const secrets = flags.filter(({ field }) => field.kind.type === "secret");
  const hidden = secrets.filter(({ field }) => typeof body?.[field.name] === "string");
  return (
    body && { ...body, ...Object.fromEntries(hidden.map(({ field }) => [field.name, "(hidden)"])) }
  );
}

/** True if a response is one page of several. */
export function isPaged({ route }: RouteCommand): boolean {
  return isList(route) && route.query !== undefined && "page" in route.query.shape;
}

/** True for a command that ends something active and therefore needs confirmation. */
export function isDestructive({ route, style }: RouteCommand): boolean {
  return style.isDestructive ?? (route.audited !== null && DESTRUCTIVE.test(route.operationId));
}

/** True if the command or its input makes the call destructive. */
function isDestructiveCall(command: RouteCommand, { body }: RouteInput): boolean {
  if (isDestructive(command)) return true;
  if (body?.["status"] === "archived") return true;
  // Without a grace period the old secret expires at once.
  return command.route.operationId === "rotateApiKey" && !body?.["grace_period_seconds"];
}

async function confirmCall(
  command: RouteCommand,
  input: RouteInput,
  { yes }: RunOptions,
  terminal: Terminal,
): Promise<void> {
  if (yes || !isDestructiveCall(command, input)) return;
  const { route, style } = command;
  const what = [style.summary ?? route.summary, ...Object.values(input.params)].join(" ");
  if (!terminal.isInput)
    throw makeUsageError(
      `${replaceControlCharacters(what)}: confirmation is not possible without a terminal. Add --yes.`,
    );
  const answer = await terminal.ask(`${replaceControlCharacters(what)}. Continue? [y/N] `);
  if (!/^y(es)?$/i.test(answer.trim())) {
    throw new CommandError("Canceled. Nothing was changed.", exitCodes.error);
  }
}

interface Listing {
  connection: Connection;
  command: RouteCommand;
  input: RouteInput;
  options: RunOptions;
  writing: { route: RouteCommand["route"]; format: Format; terminal: Terminal };
}

/** Follows the cursor up to the limit. JSON lines are printed page by page. */
async function list({ connection, command, input, options, writing }: Listing): Promise<void> {
  const limit = options.all ? Number.POSITIVE_INFINITY : readLimit(options.limit);
  let first: Record<string, unknown> | undefined;
  let entries: Record<string, unknown>[] = [];
  let taken = 0;
  let page = options.page;
  do {
    const query = { ...input.query, limit: Math.min(limit - taken, PAGE_SIZE), page };
    const target = targetOf(command.route, { params: input.params, query });
    const answer = (await call(connection, { method: "GET", target })) as Page;
    first ??= answer;
    taken += answer.data.length;
    page = answer.next_page ?? undefined;
    if (writing.format === "jsonl") {
      writeList({ first, entries: answer.data }, writing);
    } else {
      entries = entries.concat(answer.data);
    }
  } while (page !== undefined && taken < limit);
  const pages: Pages = { first, entries, nextPage: page ?? null };
  if (writing.format !== "jsonl") writeList(pages, writing);
  if (page !== undefined) {
    const more = `Showing ${taken} entries, more exist. Use --all, --limit <n> or --page ${page}`;
    writing.terminal.note(replaceControlCharacters(more));
  }
}

interface Page extends Record<string, unknown> {
  data: Record<string, unknown>[];
  next_page: string | null;
}

function readLimit(written: string | undefined): number {
  if (written === undefined) return DEFAULT_LIMIT;
  if (!/^[1-9]\d{0,8}$/.test(written))
    throw makeUsageError("--limit: expected a whole number, at least 1.");
  return Number(written);
}

/** Returns a function that lists all entries, to find one by name. */
function makeListAll(connection: Connection): ListAll {
  return async (target) => {
    const all: Record<string, unknown>[] = [];
    let page: string | null = null;
    do {
      const cursor = page === null ? "" : `&page=${encodeURIComponent(page)}`;
      const next = `${target}${target.includes("?") ? "&" : "?"}limit=${PAGE_SIZE}${cursor}`;
      const answer = (await call(connection, { method: "GET", target: next })) as Page;
      all.push(...answer.data);
      page = answer.next_page;
    } while (page !== null);
    // The types do not know the list of a path. The caller asks only for the lists that it names.
    return all as unknown as Awaited<ReturnType<ListAll>>;
  };
}

/** Writes to a new file that only its owner can read, or to standard output. */
async function writeStream(
  connection: Connection,
  target: string,
  path: string | undefined,
  { isOutput }: Terminal,
): Promise<void> {
  if (path === undefined) {
    if (!isOutput) return streamResponse(connection, target, process.stdout);
    const shown = new Transform({
      decodeStrings: false,
      transform: (chunk: Buffer | string, _, done) =>
        done(null, replaceControlCharacters(String(chunk))),
    });
    shown.setDefaultEncoding("utf8").pipe(process.stdout, { end: false });
    return streamResponse(connection, target, shown);
  }
  const file = (await openNewFile(path)).createWriteStream();
  try {
    await streamResponse(connection, target, file);
  } catch (error) {
    file.destroy(); // a refused report leaves it open
    await rm(path, { force: true }); // removes a partial report
    throw error;
  }
}

async function openNewFile(path: string) {
  try {
    return await open(path, "wx", 0o600);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw makeUsageError(`Cannot create ${path}: ${reason}`);
  }
}
