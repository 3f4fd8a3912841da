import { routes } from "virtual:contract";
import type { FieldError, FileError } from "@bursar/contract/error-facts.ts";
import type { AdminRoute } from "@bursar/contract/routes.ts";
import type { z } from "zod";
import { reportAnswer, reportNoAnswer, reportSessionChange } from "./connection.ts";
import { reportDataSource } from "./data-source.ts";
import type { EarlyAnswer } from "./early-answers.ts";
import { fillPath, toQueryText } from "./query-text.ts";
import { requestSignIn, stepUpQuestion } from "./questions.ts";

// The only file that sends requests to the server. The contract defines the operations, their inputs and answers.

export type Operation = AdminRoute["operationId"];

/** Route of each operation. The compiler checks a map faster than a conditional type over the union. */
type Routes = { [R in AdminRoute as R["operationId"]]: R };

type ParamsOf<R> = R extends { params: infer P extends z.ZodObject }
  ? { params: z.output<P> }
  : object;
type QueryOf<R> = R extends { query: infer Q extends z.ZodObject }
  ? { query?: Partial<z.output<Q>> }
  : object;
type BodyOf<R> = R extends { body: infer B extends z.ZodObject } ? { body: z.input<B> } : object;

interface Inputs extends InputMap {}
type InputMap = { [O in Operation]: ParamsOf<Routes[O]> & QueryOf<Routes[O]> & BodyOf<Routes[O]> };
interface Answers extends AnswerMap {}
type AnswerMap = { [O in Operation]: z.output<Routes[O]["response"]> };

/** Input of an operation: `params` of its path, `query` and `body`, as far as the contract has them. */
export type Input<O extends Operation> = Inputs[O];
/** Answer of an operation. */
export type Answer<O extends Operation> = Answers[O];

export interface CallOptions {
  signal?: AbortSignal;
  /** One for each change. The server applies repeated calls with one key only once. */
  idempotencyKey?: string;
  /** The member does something else meanwhile, so a required step-up is an error instead of a question. */
  isUnattended?: boolean;
}

/** Error body of the server, as far as the console reads it. */
export interface ErrorBody {
  error?: {
    type?: string;
    message?: string;
    details?: {
      error_code?: string;
      fields?: readonly FieldError[];
      file_errors?: readonly FileError[];
      file_error_count?: number;
    } | null;
  };
  request_id?: string;
}

/** Facts of an answer beside its body. */
interface AnswerFacts {
  requestId: string | null;
  retryAfter: string | null;
}

/** A refusal, with the server's message. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;
  readonly type: string;
  /** Cause from the list in `contract/src/errors.ts`. Null: the answer names none. */
  readonly errorCode: string | null;
  /** Invalid fields of the request. */
  readonly fields: readonly FieldError[];
  /** The first faults of a file, and the number of all. */
  readonly fileErrors: readonly FileError[];
  readonly fileErrorCount: number;
  readonly requestId: string | null;
  /** Wait before the next attempt, seconds. Null: the answer names none. */
  readonly retryAfterSeconds: number | null;

  constructor(status: number, body: ErrorBody | null, { requestId, retryAfter }: AnswerFacts) {
    super(body?.error?.message ?? `The server answered with the status ${status}.`);
    this.status = status;
    this.type = body?.error?.type ?? "api_error";
    this.errorCode = body?.error?.details?.error_code ?? null;
    this.fields = body?.error?.details?.fields ?? [];
    this.fileErrors = body?.error?.details?.file_errors ?? [];
    this.fileErrorCount = body?.error?.details?.file_error_count ?? 0;
    this.requestId = requestId;
    const seconds = Number(retryAfter ?? "");
    this.retryAfterSeconds = seconds > 0 ? seconds : null;
  }
}

/** No answer: the server or the network is unavailable. */
export class AwayError extends Error {
  override readonly name = "AwayError";
}

interface Parts {
  params?: Record<string, unknown>;
  query?: Record<string, unknown>;
  body?: unknown;
}

/**
 * Calls one operation. Throws an ApiError for a refusal, and an AwayError without an answer. If the server requires a
 * step-up or a new sign-in, this function asks the member for it and retries once.
 */
export async function call<O extends Operation>(
  operation: O,
  input: Input<O>,
  options: CallOptions = {},
): Promise<Answer<O>> {
  return (await readAnswer(await send(operation, input, options))) as Answer<O>;
}

/** Calls an operation that answers with a file. Returns the file and the server's name for it. */
export async function download<O extends Operation>(
  operation: O,
  input: Input<O>,
): Promise<{ file: Blob; name: string }> {
  const response = await send(operation, input, {});
  if (!response.ok) await readAnswer(response);
  const disposition = response.headers.get("content-disposition") ?? "";
  const name = /filename="([^"]+)"/.exec(disposition)?.[1] ?? operation;
  try {
    return { file: await response.blob(), name };
  } catch {
    // The server breaks the connection if it cannot finish a file, so an incomplete file is an error.
    throw new AwayError("The file is incomplete. Try again, or choose a shorter range.");
  }
}

/** True if the server always requires a step-up for this operation. */
export function alwaysNeedsStepUp(operation: Operation): boolean {
  return routes[operation]?.[2] === "step-up";
}

/** Sends a change while the page closes, without waiting for the answer. */
export function sendOnUnload<O extends Operation>(operation: O, input: Input<O>): void {
  const { params, body }: Parts = input as object;
  const [method = "", path = ""] = routes[operation] ?? [];
  void request(method, fillPath(path, params), body, { keepalive: true }).catch(() => undefined);
}

async function send<O extends Operation>(
  operation: O,
  input: Input<O>,
  options: CallOptions,
): Promise<Response> {
  const { method, url, body, mark } = toRequest(operation, input);
  const ask = () => request(method, url, body, options);
  let response = await ask();
  // Callers of `getSession` and of public operations handle a 401 themselves.
  const meansSignOut = mark !== "public" && operation !== "getSession";
  if (response.status === 401 && meansSignOut && (await requestSignIn(method === "POST"))) {
    response = await ask();
  }
  const asksStepUp = wantsStepUp(response) && options.isUnattended !== true;
  if (asksStepUp && (await stepUpQuestion.ask())) response = await ask();
  if (response.status === 401 && meansSignOut) reportSessionChange();
  return response;
}

function toRequest<O extends Operation>(operation: O, input: Input<O>) {
  const route = routes[operation];
  if (!route) throw new Error(`the contract has no operation ${operation}`);
  const [method, path, mark] = route;
  const { params, query, body }: Parts = input as object;
  return { method, url: fillPath(path, params) + toQueryText(query), body, mark };
}

async function request(
  method: string,
  url: string,
  body: unknown,
  { signal, idempotencyKey, keepalive = false }: CallOptions & { keepalive?: boolean },
): Promise<Response> {
  const headers: Record<string, string> = { accept: "application/json", "x-bursar-console": "1" };
  if (method === "POST") headers["content-type"] = "application/json";
  if (idempotencyKey !== undefined) headers["idempotency-key"] = idempotencyKey;
  try {
    const response = await (takeEarly(method, url)?.response ??
      fetch(url, {
        method,
        headers,
        credentials: "same-origin",
        cache: "no-store",
        redirect: "error",
        keepalive,
        ...(method === "POST" && { body: JSON.stringify(body ?? {}) }),
        ...(signal && { signal }),
      }));
    reportAnswer();
    reportDataSource(response.headers);
    return response;
  } catch (error) {
    if (signal?.aborted) throw error;
    reportNoAnswer();
    throw new AwayError(
      "The server does not answer. Your input is not lost: try again in a moment.",
    );
  }
}

/** Age after which the page asks again, milliseconds. */
const MAX_EARLY_MS = 30_000;

/** Answer that early.ts asked for. Each one is used once, and none after a change or after a while. */
function takeEarly(method: string, url: string): EarlyAnswer | undefined {
  const early = globalThis.bursarEarly;
  if (method !== "GET" || performance.now() > MAX_EARLY_MS) early?.clear();
  const answer = early?.get(url);
  early?.delete(url);
  return answer;
}

/** Answer that early.ts has received. Undefined: the caller calls the operation. */
export function findEarlyAnswer<O extends Operation>(
  operation: O,
  input: Input<O>,
): Answer<O> | undefined {
  const early = globalThis.bursarEarly;
  if (early === undefined || early.size === 0 || performance.now() > MAX_EARLY_MS) return undefined;
  return early.get(toRequest(operation, input).url)?.received?.body as Answer<O> | undefined;
}

/**
 * Takes an answer that early.ts has received, so that the first drawing of a page has its data. Components may call this
 * while they render.
 */
export function takeEarlyAnswer<O extends Operation>(
  operation: O,
  input: Input<O>,
): Answer<O> | undefined {
  const answer = findEarlyAnswer(operation, input);
  if (answer === undefined) return undefined;
  const { method, url } = toRequest(operation, input);
  const headers = takeEarly(method, url)?.received?.headers;
  // No component may change while another one renders.
  if (headers) queueMicrotask(() => reportDataSource(headers));
  return answer;
}

function wantsStepUp(response: Response): boolean {
  return response.status === 403 && response.headers.get("bursar-step-up") === "required";
}

async function readAnswer(response: Response): Promise<unknown> {
  const text = await response.text();
  const body = parse(text) as ErrorBody | null;
  if (response.ok && body !== null) return body;
  const requestId = body?.request_id ?? response.headers.get("request-id");
  const retryAfter = response.headers.get("retry-after");
  const error = new ApiError(response.status, body, { requestId, retryAfter });
  if (error.errorCode === "second_factor_required") reportSessionChange();
  throw error;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
