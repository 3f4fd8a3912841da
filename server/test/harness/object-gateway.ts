import Anthropic from "@anthropic-ai/sdk";
import { sql } from "kysely";
import { onTestFinished } from "vitest";
import { makePriceBook } from "#src/domain/price-book.ts";
import type { ObjectServer } from "#src/gateway/object-call.ts";
import type { ObjectReferences } from "#src/gateway/object-references.ts";
import type { FoundKey } from "#src/key-lookup/api-key-lookup.sql.ts";
import { makeLogger } from "#src/lib/logger.ts";
import { makeBatchServer } from "#src/message-batches/serve-batches.ts";
import { removeBody } from "#src/message-batches/store-body.ts";
import { makeObjectServer } from "#src/upstream-objects/object-server.ts";
import { makeOwnedObjects, type OwnedObjects } from "#src/upstream-objects/owned-objects.ts";
import type { TestDatabase } from "./database.ts";
import {
  type Answer,
  type Call,
  call,
  ORGANIZATION_ID,
  type TestGateway,
  type TestGatewayOptions,
  withKey,
} from "./gateway.ts";
import { openGateway } from "./gateway-calls.ts";
import { startTestSimulator, type TestSimulator } from "./simulator.ts";

// A gateway in front of a simulator, with the owners of stored objects in a database, and workspaces that share both.

/** A workspace with a key, as a client sees the gateway. */
export interface ObjectClient {
  workspaceId: string;
  secret: string;
  sdk: Anthropic;
  call(options: Call): Promise<Answer>;
}

export interface ObjectGateway {
  gateway: TestGateway;
  objects: OwnedObjects;
  addWorkspace(workspaceId: string, key?: Partial<FoundKey>): ObjectClient;
}

export interface ObjectGatewayOptions {
  db: TestDatabase;
  /** Origin of the upstream. Default: a simulator. */
  origin?: string;
  /** Replaces some methods. */
  objects?: Partial<OwnedObjects>;
  /** Further upstreams, and time limits. */
  gateway?: Pick<Partial<TestGatewayOptions>, "others" | "idleTimeoutMs" | "databaseNowMs">;
  /** Folder for bodies of message batches. Null: no batches are served. */
  batchFolder?: string | null;
}

/** Starts all of it, until the end of the test. */
export async function openObjectGateway(options: ObjectGatewayOptions): Promise<ObjectGateway> {
  const { db, objects: replaced, batchFolder = null } = options;
  const origin = options.origin ?? (await openSimulator()).origin;
  await insertOrganization(db);
  const count = options.gateway?.others?.length ?? 0;
  for (let index = 0; count > 0 && index <= count; index++)
    await insertUpstream(db, `ups_${index}`);
  const objects = { ...makeOwnedObjects(db.database, Date.now), ...replaced };
  const owned = makeObjectServer({ objects, logger: makeLogger("silent"), nowMs: Date.now });
  const batches = batchFolder === null ? owned : makeBatches(db, owned, batchFolder);
  const server: ObjectServer = {
    ...owned,
    serve: (objectCall) =>
      (objectCall.route.operation.startsWith("batches.") ? batches : owned).serve(objectCall),
  };
  const gateway = await openGateway({ origin, objects: server, ...options.gateway });
  return {
    gateway,
    objects,
    addWorkspace(workspaceId, key = {}) {
      const secret = gateway.addKey({ id: `apikey_${workspaceId}`, workspaceId, ...key });
      return {
        workspaceId,
        secret,
        sdk: new Anthropic({ baseURL: gateway.origin, apiKey: secret, maxRetries: 0 }),
        call: ({ headers, ...others }) =>
          call(gateway.origin, { ...others, headers: { ...withKey(secret), ...headers } }),
      };
    },
  };
}

function makeBatches(
  { database }: TestDatabase,
  references: ObjectReferences,
  folder: string,
): Pick<ObjectServer, "serve"> {
  const book = makePriceBook([]);
  return makeBatchServer({
    database,
    holdWaitMs: 0,
    publicUrl: () => null,
    leases: {
      findLimit: () => null,
      findUnknownRefusal: () => null,
      listLimits: () => [],
      returnFree: () => undefined,
    },
    references,
    ledger: { admit: () => ({ kind: "admitted" }) },
    prices: { get: () => book },
    databaseNowMs: Date.now,
    nodeId: "node_test",
    folder,
    logger: makeLogger("silent"),
    accepted: { keep: ({ batch: { id } }) => void removeBody(folder, id) },
    worker: { follow: () => Promise.resolve(false) },
  });
}

async function openSimulator(): Promise<TestSimulator> {
  const simulator = await startTestSimulator();
  onTestFinished(simulator.close);
  return simulator;
}

async function insertOrganization({ database }: TestDatabase): Promise<void> {
  await database
    .insertInto("organization")
    .values({ id: ORGANIZATION_ID, name: "Test" })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** Inserts the row of an upstream of the gateway, which has an address of its own. */
async function insertUpstream({ database }: TestDatabase, id: string): Promise<void> {
  await sql`INSERT INTO upstream (id, organization_id, name, base_url)
    VALUES (${id}, ${ORGANIZATION_ID}, ${id}, 'https://api.anthropic.com') ON CONFLICT DO NOTHING`.execute(
    database,
  );
}
