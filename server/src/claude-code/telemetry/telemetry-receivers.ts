import { telemetryReceiver } from "@bursar/contract/admin/telemetry-receivers.ts";
import { idPrefixes } from "@bursar/contract/ids.ts";
import { type TelemetrySignal, telemetrySignals } from "@bursar/contract/telemetry-signals.ts";
import type { Call } from "#src/access/call.ts";
import {
  type AuditDeps,
  type AuditEntry,
  auditedTransaction,
} from "#src/audit/audited-transaction.ts";
import type { Tx } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { Caller } from "#src/domain/caller.ts";
import { checkVersion } from "#src/domain/check-version.ts";
import { type PageOfRows, type PageRequest, toPage } from "#src/domain/page-position.ts";
import { connectionHeaders, parseSecretHeaders } from "#src/domain/secret-headers.ts";
import type { GuardedClient } from "#src/lib/guarded-client.ts";
import { newId } from "#src/lib/ids.ts";
import { isSame } from "#src/lib/is-same.ts";
import type { Receiver } from "./receiver.ts";
import { type ReceiverHeaders, sealHeaders } from "./receiver-headers.ts";
import { parseReceiverUrl } from "./receiver-url.rule.ts";
import { type SentExport, sendExport } from "./send-export.ts";
import { toReceiver } from "./served-receivers.ts";
import {
  countReceiversForUpdate,
  deleteReceiver,
  findReceiver,
  insertReceiver,
  listReceivers,
  type ReceiverRow,
  updateReceiver,
} from "./telemetry-receivers.sql.ts";
import type { Telemetry } from "./telemetry-relay.ts";
import { environmentToWire, toWire } from "./to-wire.ts";

export interface TelemetryReceiverDeps extends AuditDeps {
  sealingKey: Buffer;
  client: GuardedClient;
  telemetry: Telemetry;
}

/** A stored receiver, or the one of the environment. */
export type ShownReceiver = ReturnType<typeof toWire>;

/** Highest number of stored receivers of an organization. */
const MAX_RECEIVERS = 10;

/** Lists the stored receivers, newest first, then the one of the environment. */
export async function listTelemetryReceivers(
  deps: TelemetryReceiverDeps,
  { caller }: Call,
  request: PageRequest,
): Promise<PageOfRows<ShownReceiver>> {
  const rows = await listReceivers(deps.database, caller.organizationId);
  const environment = findEnvironment(deps, caller);
  const all = rows.map(toWire);
  if (environment !== null) all.push(showEnvironment(deps, environment));
  const { from } = request;
  const isOlder = ({ createdAtMs, id }: ReturnType<typeof positionOf>) =>
    from === null ||
    createdAtMs < from.createdAtMs ||
    (createdAtMs === from.createdAtMs && id < from.id);
  return toPage(
    all.filter((each) => isOlder(positionOf(each))),
    request,
    positionOf,
  );
}

function positionOf({ id, created_at }: ShownReceiver) {
  return { createdAtMs: created_at === null ? 0 : Date.parse(created_at), id };
}

/** Throws a 404. */
export async function getTelemetryReceiver(
  deps: TelemetryReceiverDeps,
  { caller }: Call,
  id: string,
): Promise<ShownReceiver> {
  const environment = findEnvironment(deps, caller);
  if (environment?.id === id) return showEnvironment(deps, environment);
  const row = await findReceiver(deps.database, { organizationId: caller.organizationId, id });
  if (row === null) throw receiverNotFound();
  return toWire(row);
}

/** Receiver of the environment. Null: none, or that of another organization. */
function findEnvironment(
  { telemetry: { environment } }: TelemetryReceiverDeps,
  { organizationId }: Caller,
): Receiver | null {
  return environment?.organizationId === organizationId ? environment : null;
}

function showEnvironment(
  { telemetry }: TelemetryReceiverDeps,
  environment: Receiver,
): ShownReceiver {
  return environmentToWire(environment, telemetry.findHealth(environment));
}

interface NewReceiver {
  name: string;
  url: string;
  headers?: ReceiverHeaders | undefined;
  signals: readonly TelemetrySignal[];
  is_enabled: boolean;
}

/** Throws a 400 for an address that is not allowed or for a reserved header, and a 409 for too many receivers. */
export function createTelemetryReceiver(
  deps: TelemetryReceiverDeps,
  { caller, origin }: Call,
  input: NewReceiver,
): Promise<ShownReceiver> {
  const { organizationId } = caller;
  const now = new Date(deps.nowMs());
  const id = newId(idPrefixes.telemetryReceiver, now.getTime(), deps.randomBytes);
  const url = parseUrl(deps, input.url);
  const row: ReceiverRow = {
    id,
    organization_id: organizationId,
    name: input.name,
    url,
    ...sealedHeaders(deps, { id, url }, input.headers ?? null),
    signals: orderSignals(input.signals),
    is_enabled: input.is_enabled,
    version: 1,
    created_at: now,
    updated_at: now,
    ...noResults,
  };
  return auditedTransaction(deps, caller, origin, async (tx) => {
    if ((await countReceiversForUpdate(tx, organizationId)) >= MAX_RECEIVERS) {
      throw new ApiError(
        "too_many_receivers",
        `An organization has at most ${MAX_RECEIVERS} telemetry receivers. Delete one first.`,
      );
    }
    await insertReceiver(tx, row);
    const audit = auditOf("telemetry_receiver.created", { before: null, after: row });
    return { result: toWire(row), audit };
  });
}

const noResults = { last_relayed_at: null, last_failed_at: null, last_failure: null } as const;

interface ReceiverChange {
  name?: string | undefined;
  url?: string | undefined;
  headers?: ReceiverHeaders | null | undefined;
  signals?: readonly TelemetrySignal[] | undefined;
  is_enabled?: boolean | undefined;
  if_version?: number | undefined;
}

/**
 * Updates the given fields. A URL of another origin without new headers removes the headers, because a change of the address
 * must not send them to another server. Throws a 404, a 400 like `createTelemetryReceiver`, and a 409 for another version.
 */
export function updateTelemetryReceiver(
  deps: TelemetryReceiverDeps,
  { caller, origin }: Call,
  id: string,
  change: ReceiverChange,
): Promise<ShownReceiver> {
  const newUrl = change.url === undefined ? undefined : parseUrl(deps, change.url);
  return auditedTransaction(deps, caller, origin, async (tx) => {
    const before = await getForUpdate(tx, deps, caller, id);
    checkVersion("telemetry receiver", before, change.if_version);
    const url = newUrl ?? before.url;
    const isSameOrigin = new URL(url).origin === new URL(before.url).origin;
    const headers = isSameOrigin ? change.headers : (change.headers ?? null);
    const { headers_sealed, header_names } = before;
    const isNewTarget = url !== before.url || headers !== undefined;
    const changed: ReceiverRow = {
      ...before,
      name: change.name ?? before.name,
      url,
      ...(headers === undefined
        ? { headers_sealed, header_names }
        : sealedHeaders(deps, { id, url }, headers)),
      signals: change.signals === undefined ? before.signals : orderSignals(change.signals),
      is_enabled: change.is_enabled ?? before.is_enabled,
      ...(isNewTarget && noResults),
    };
    if (isSame(before, changed)) return { result: toWire(before), audit: "unchanged" };
    const after = {
      ...changed,
      version: before.version + 1,
      updated_at: new Date(deps.nowMs()),
    };
    await updateReceiver(tx, after);
    const areHeadersReplaced = headers !== undefined && headers !== null;
    const entry = { before, after, areHeadersReplaced };
    return { result: toWire(after), audit: auditOf("telemetry_receiver.updated", entry) };
  });
}

/** Throws a 404. */
export function deleteTelemetryReceiver(
  deps: TelemetryReceiverDeps,
  { caller, origin }: Call,
  id: string,
): Promise<void> {
  const { organizationId } = caller;
  return auditedTransaction(deps, caller, origin, async (tx) => {
    const before = await getForUpdate(tx, deps, caller, id);
    await deleteReceiver(tx, { organizationId, id });
    const audit = auditOf("telemetry_receiver.deleted", { before, after: null });
    return { result: undefined, audit };
  });
}

export interface TestedSignal extends Omit<SentExport, "text"> {
  signal: TelemetrySignal;
}

/** A message of any signal with one resource and no records. */
const EMPTY_EXPORT = Buffer.from([10, 0]);

/** Sends one export without records for each signal, after the event. Throws a 404. */
export async function testTelemetryReceiver(
  deps: TelemetryReceiverDeps,
  { caller, origin }: Call,
  id: string,
): Promise<TestedSignal[]> {
  const receiver = await auditedTransaction(deps, caller, origin, async (tx) => {
    const { name, receiver } = await getTarget(tx, deps, caller, id);
    const { url, signals } = receiver;
    return {
      result: receiver,
      audit: {
        event: "telemetry_receiver.tested",
        subject: { type: "telemetry_receiver", id },
        workspaceId: null,
        before: null,
        after: { name, url, signals: [...signals] },
      },
    };
  });
  return await Promise.all(
    receiver.signals.map(async (signal) => {
      const contentType = "application/x-protobuf";
      const sent = await sendExport(deps.client, receiver, {
        ...{ signal, contentType, body: EMPTY_EXPORT },
      });
      return { signal, ...explainAnswer(sent, receiver) };
    }),
  );
}

async function getTarget(
  tx: Tx,
  deps: TelemetryReceiverDeps,
  caller: Caller,
  id: string,
): Promise<{ name: string; receiver: Receiver }> {
  const environment = findEnvironment(deps, caller);
  if (environment?.id === id) {
    return { name: environmentToWire(environment, null).name, receiver: environment };
  }
  const row = await getForUpdate(tx, deps, caller, id);
  return { name: row.name, receiver: toReceiver(deps.sealingKey, row) };
}

const MAX_TEXT = 300;
/** A shorter value is not secret. Hiding it would remove common words from the text. */
const MIN_SECRET = 4;

/** Adds the text of a failure in one line, without values of headers that it may repeat. */
function explainAnswer(
  { isAccepted, status, reason, text }: SentExport,
  { headers }: Receiver,
): Omit<SentExport, "text"> {
  const secrets = Object.values(headers ?? {})
    .flatMap((value) => [value, ...value.split(" ")])
    .filter((value) => value.length >= MIN_SECRET)
    .sort((a, b) => b.length - a.length);
  const line = text.replace(/[^\P{C}]+|\s+/gu, " ").trim();
  const shown = secrets.reduce((rest, secret) => rest.replaceAll(secret, "…"), line);
  const details = isAccepted || shown === "" ? "" : ` ${shown.slice(0, MAX_TEXT)}`;
  return { isAccepted, status, reason: reason === null ? null : reason + details };
}

async function getForUpdate(
  tx: Tx,
  deps: TelemetryReceiverDeps,
  caller: Caller,
  id: string,
): Promise<ReceiverRow> {
  const { organizationId } = caller;
  const row = await findReceiver(tx, { organizationId, id }, "for update");
  if (row !== null) return row;
  if (findEnvironment(deps, caller)?.id === id) {
    throw new ApiError(
      "managed_by_environment",
      "BURSAR_TELEMETRY_URL sets this receiver. Change the setting, and start the server again.",
    );
  }
  throw receiverNotFound();
}

function parseUrl({ client }: TelemetryReceiverDeps, text: string): string {
  return parseReceiverUrl(text, client.findMistake);
}

function sealedHeaders(
  { sealingKey }: TelemetryReceiverDeps,
  of: { id: string; url: string },
  headers: ReceiverHeaders | null,
): Pick<ReceiverRow, "headers_sealed" | "header_names"> {
  const parsed = parseSecretHeaders(headers ?? {}, {
    field: "headers",
    reserved: connectionHeaders,
  });
  const names = Object.keys(parsed);
  if (names.length === 0) return { headers_sealed: null, header_names: [] };
  return { headers_sealed: sealHeaders(sealingKey, of, parsed), header_names: names.sort() };
}

/** The order of the contract, each signal once. */
function orderSignals(signals: readonly TelemetrySignal[]): TelemetrySignal[] {
  return telemetrySignals.filter((signal) => signals.includes(signal));
}

function receiverNotFound(): ApiError {
  return new ApiError(
    "resource_not_found",
    "Telemetry receiver not found",
    {},
    { resource: "telemetry_receiver" },
  );
}

const auditedFields = telemetryReceiver.pick({
  name: true,
  url: true,
  header_names: true,
  signals: true,
  is_enabled: true,
  version: true,
});

function auditOf(
  event: `telemetry_receiver.${string}`,
  change: {
    before: ReceiverRow | null;
    after: ReceiverRow | null;
    areHeadersReplaced?: boolean;
  },
): AuditEntry {
  const { before, after, areHeadersReplaced = false } = change;
  return {
    event,
    subject: { type: "telemetry_receiver", id: (after ?? before)?.id ?? "" },
    workspaceId: null,
    before: before && auditedFields.parse(toWire(before)),
    after: after && {
      ...auditedFields.parse(toWire(after)),
      headers_replaced: areHeadersReplaced,
    },
  };
}
