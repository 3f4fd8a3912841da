import { afterEach, describe, expect, test } from "vitest";
import { makeLogger } from "#src/lib/logger.ts";
import { deriveSealingKey, seal } from "#src/lib/seal.ts";
import { parseAllowedTargets } from "#src/lib/target-address.ts";
import { openUpstreams, type Upstreams, type UpstreamsDeps } from "./resolve-upstream.ts";
import type { StoredUpstream, StoredUpstreams } from "./upstream-lookup.sql.ts";

const key = deriveSealingKey("a secret of this installation, long enough");

function stored(baseUrl: string, credential: string | null, id = "ups_1"): StoredUpstream {
  const context = `upstream:${id}:${new URL(baseUrl).origin}`;
  return {
    id,
    organizationId: "organization_1",
    provider: "anthropic",
    settings: {},
    baseUrl,
    credentialSealed: credential === null ? null : seal(key, credential, context),
    extraHeadersSealed: null,
    proxyUrl: null,
    proxyCredentialSealed: null,
    upstreamWorkspaceId: null,
    defaultPosition: 0,
  };
}

function only(row: StoredUpstream | null): StoredUpstreams {
  return { upstreams: row === null ? [] : [row], workspaceOrders: new Map() };
}

const opened: Upstreams[] = [];
afterEach(async () => {
  for (const upstreams of opened.splice(0)) await upstreams.close();
});

async function openWith(deps: Partial<UpstreamsDeps>): Promise<Upstreams> {
  const upstreams = await openUpstreams({
    environment: null,
    findStored: async () => only(null),
    sealingKey: key,
    startSimulator: async () => ({
      address: { origin: "http://127.0.0.1:9" },
      close: async () => undefined,
    }),
    privateUpstreams: parseAllowedTargets([]),
    isMachineAllowed: false,
    environmentProxy: null,
    idleTimeoutMs: 1_000,
    turnEnd: null,
    logger: makeLogger("silent"),
    ...deps,
  });
  opened.push(upstreams);
  return upstreams;
}

describe("the upstream in use", () => {
  test("is the environment's before a stored one", async () => {
    const upstreams = await openWith({
      environment: { apiKey: "from-environment", baseUrl: null },
      findStored: async () => only(stored("https://stored.example", "stored-credential")),
    });
    expect(upstreams.current()).toMatchObject({
      kind: "anthropic",
      describe: { origin: "https://api.anthropic.com", source: "environment" },
      basePath: "",
      credential: "from-environment",
    });
  });

  test("is a stored one with its decrypted credential and the path of its URL", async () => {
    const upstreams = await openWith({
      findStored: async () => only(stored("https://proxy.example/claude/", "stored-credential")),
    });
    expect(upstreams.current()).toMatchObject({
      describe: { origin: "https://proxy.example", source: "stored" },
      basePath: "/claude",
      credential: "stored-credential",
    });
  });

  test("is the simulator without a credential when none is configured", async () => {
    const upstreams = await openWith({});
    expect(upstreams.current()).toMatchObject({ kind: "simulator", credential: null });
  });

  test("is an error for a stored one with a missing credential, another origin's credential or plain HTTP", async () => {
    const gone = await openWith({
      findStored: async () => only(stored("https://a.example", null)),
    });
    expect(() => gone.current()).toThrow(/has no credential/);

    const moved = { ...stored("https://a.example", "credential"), baseUrl: "https://b.example" };
    const other = await openWith({ findStored: async () => only(moved) });
    expect(() => other.current()).toThrow(/cannot be used/);

    const clear = await openWith({ findStored: async () => only(stored("http://a.example", "x")) });
    expect(() => clear.current()).toThrow(/cannot be used/);
  });
});

describe("a stored upstream in a private network", () => {
  const findStored = async () => only(stored("http://127.0.0.1:9000", "credential"));

  test("gets no request, also if an earlier version stored it", async () => {
    const upstreams = await openWith({ findStored });
    expect(() => upstreams.current()).toThrow(
      "127.0.0.1 is in a private network, which BURSAR_ALLOW_PRIVATE_UPSTREAMS does not allow.",
    );
  });

  test.each(["127.0.0.1", "127.0.0.0/8"])("is used if the operator allows %s", async (text) => {
    const privateUpstreams = parseAllowedTargets([text]);
    const upstreams = await openWith({ findStored, privateUpstreams });
    expect(upstreams.current().describe.origin).toBe("http://127.0.0.1:9000");
  });

  test("is not restricted if the environment sets it", async () => {
    const environment = { apiKey: "key", baseUrl: "http://127.0.0.1:9000" };
    expect((await openWith({ environment })).current().describe.source).toBe("environment");
  });
});

describe("a reload", () => {
  test("closes the old client after a change, and keeps it without one", async () => {
    let row: StoredUpstream | null = null;
    const upstreams = await openWith({ findStored: async () => only(row) });
    const simulator = upstreams.current();
    await upstreams.reload();
    expect(upstreams.current()).toBe(simulator);

    row = stored("https://a.example", "one");
    await upstreams.reload();
    const first = upstreams.current();
    expect(first.credential).toBe("one");
    expect(simulator.client.isClosed).toBe(true);
    await upstreams.reload();
    expect(upstreams.current()).toBe(first);

    row = stored("https://a.example", "two");
    await upstreams.reload();
    expect(upstreams.current().credential).toBe("two");
    expect(first.client.isClosed).toBe(true);

    row = null;
    await upstreams.reload();
    expect(upstreams.current().kind).toBe("simulator");
  });

  test("uses the last of several concurrent changes", async () => {
    let row: StoredUpstream | null = null;
    const reads: PromiseWithResolvers<StoredUpstreams>[] = [];
    let isSlow = false;
    const upstreams = await openWith({
      findStored: () => {
        if (!isSlow) return Promise.resolve(only(row));
        const read = Promise.withResolvers<StoredUpstreams>();
        reads.push(read);
        return read.promise;
      },
    });
    isSlow = true;
    const both = [upstreams.reload(), upstreams.reload()];
    isSlow = false;
    row = stored("https://a.example", "newest");
    reads[0]?.resolve(only(stored("https://a.example", "older")));
    await Promise.all(both);
    expect(upstreams.current().credential).toBe("newest");
  });

  test("keeps the upstream while the database is away", async () => {
    let isAway = false;
    const upstreams = await openWith({
      findStored: () =>
        isAway
          ? Promise.reject(new Error("connection refused"))
          : Promise.resolve(only(stored("https://a.example", "one"))),
    });
    isAway = true;
    await upstreams.reload();
    expect(upstreams.current().credential).toBe("one");
  });
});

describe("an order", () => {
  const other = { ...stored("https://b.example", "b", "ups_2"), defaultPosition: 1 };
  const rows = [{ ...stored("https://a.example", "a"), defaultPosition: 2 }, other];
  const idsFor = (upstreams: Upstreams, workspaceId: string, organizationId = "organization_1") =>
    upstreams.forWorkspace(organizationId, workspaceId).map(({ id }) => id);

  test("is the default one by position, and a workspace's own one before it", async () => {
    const workspaceOrders = new Map([["wksp_own", ["ups_1"]]]);
    const upstreams = await openWith({
      findStored: async () => ({ upstreams: rows, workspaceOrders }),
    });
    expect(idsFor(upstreams, "wksp_any")).toEqual(["ups_2", "ups_1"]);
    expect(idsFor(upstreams, "wksp_own")).toEqual(["ups_1"]);
    expect(upstreams.current().id).toBe("ups_2");
  });

  test("leaves out what cannot be used, and find returns what is in no order", async () => {
    const unusable = { ...stored("https://c.example", null, "ups_3"), defaultPosition: 0 };
    const unplaced = { ...stored("https://d.example", "d", "ups_4"), defaultPosition: null };
    const upstreams = await openWith({
      findStored: async () => ({
        upstreams: [...rows, unusable, unplaced],
        workspaceOrders: new Map([["wksp_broken", ["ups_3"]]]),
      }),
    });
    expect(idsFor(upstreams, "wksp_any")).toEqual(["ups_2", "ups_1"]);
    expect(() => idsFor(upstreams, "wksp_broken")).toThrow(/has no credential/);
    expect(upstreams.find("organization_1", "ups_4")?.credential).toBe("d");
    expect(upstreams.find("organization_1", "ups_3")).toBeNull();
  });

  test("has no upstream of another organization", async () => {
    const upstreams = await openWith({
      findStored: async () => ({ upstreams: rows, workspaceOrders: new Map() }),
    });
    expect(() => idsFor(upstreams, "wksp_any", "organization_2")).toThrow(/has no upstream/);
    expect(upstreams.find("organization_2", "ups_1")).toBeNull();
  });

  test("keeps the client of an upstream whose place alone changes", async () => {
    let upstreamRows = rows;
    const upstreams = await openWith({
      findStored: async () => ({ upstreams: upstreamRows, workspaceOrders: new Map() }),
    });
    const before = upstreams.find("organization_1", "ups_1");
    upstreamRows = rows.map((row) => ({ ...row, defaultPosition: 3 - (row.defaultPosition ?? 0) }));
    await upstreams.reload();
    expect(idsFor(upstreams, "wksp_any")).toEqual(["ups_1", "ups_2"]);
    expect(upstreams.find("organization_1", "ups_1")).toBe(before);
    expect(before?.client.isClosed).toBe(false);
  });
});

describe("a base URL", () => {
  test.each([
    ["http://claude.example", /not HTTPS/],
    ["https://user:password@claude.example", /user, password/],
    ["https://claude.example/?key=1", /query/],
    ["https://claude.example/v1", /must not end in \/v1/],
    ["https://claude.example/v1/", /must not end in \/v1/],
    ["ftp://claude.example", /not an http/],
    ["claude.example", /not an http/],
  ])("refuses %s", async (baseUrl, reason) => {
    await expect(openWith({ environment: { apiKey: "x", baseUrl } })).rejects.toThrow(reason);
  });

  test.each(["http://127.0.0.1:9", "http://localhost:9", "http://[::1]:9"])(
    "accepts plain HTTP on the loopback address %s",
    async (baseUrl) => {
      const upstreams = await openWith({ environment: { apiKey: null, baseUrl } });
      expect(upstreams.current()).toMatchObject({
        describe: { origin: baseUrl },
        credential: null,
      });
    },
  );
});
