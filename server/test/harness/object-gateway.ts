import Anthropic from "@anthropic-ai/sdk";
import { onTestFinished } from "vitest";
import type { FoundKey } from "#src/key-lookup/api-key-lookup.sql.ts";
import { makeLogger } from "#src/lib/logger.ts";
import { makeObjectServer } from "#src/upstream-objects/object-server.ts";
import { makeOwnedObjects, type OwnedObjects } from "#src/upstream-objects/owned-objects.ts";
import type { TestDatabase } from "./database.ts";
import {
  type Answer,
  type Call,
  call,
  ORGANIZATION_ID,
  type TestGateway,
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
}

/** Starts all of it, until the end of the test. */
export async function openObjectGateway(options: ObjectGatewayOptions): Promise<ObjectGateway> {
  const { db, objects: replaced } = options;
  const origin = options.origin ?? (await openSimulator()).origin;
  await insertOrganization(db);
  const objects = { ...makeOwnedObjects(db.database, Date.now), ...replaced };
  const server = makeObjectServer({ objects, logger: makeLogger("silent"), nowMs: Date.now });
  const gateway = await openGateway({ origin, objects: server });
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
