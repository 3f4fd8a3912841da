import { afterEach, describe, expect, test } from "vitest";
import { makeLogger } from "#src/lib/logger.ts";
import { deriveSealingKey, seal } from "#src/lib/seal.ts";
import { parseAllowedTargets } from "#src/lib/target-address.ts";
import { openUpstreams, type Upstreams, type UpstreamsDeps } from "./resolve-upstream.ts";
import type { StoredUpstream } from "./upstream-lookup.sql.ts";

const key = deriveSealingKey("a secret of this installation, long enough");

function stored(baseUrl: string, credential: string | null, id = "ups_1"): StoredUpstream {
  const context = `upstream:${id}:${new URL(baseUrl).origin}`;
  return {
    id,
    baseUrl,
    credentialSealed: credential === null ? null : seal(key, credential, context),
  };
}

const opened: Upstreams[] = [];
afterEach(async () => {
  for (const upstreams of opened.splice(0)) await upstreams.close();
});

async function openWith(deps: Partial<UpstreamsDeps>): Promise<Upstreams> {
  const upstreams = await openUpstreams({
    environment: null,
    findStored: async () => null,
    sealingKey: key,
    startSimulator: async () => ({
      address: { origin: "http://127.0.0.1:9" },
      close: async () => undefined,
    }),
    privateUpstreams: parseAllowedTargets([]),
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
      findStored: async () => stored("https://stored.example", "stored-credential"),
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
      findStored: async () => stored("https://proxy.example/claude/", "stored-credential"),
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
    const gone = await openWith({ findStored: async () => stored("https://a.example", null) });
    expect(() => gone.current()).toThrow(/has no credential/);

    const moved = { ...stored("https://a.example", "credential"), baseUrl: "https://b.example" };
    const other = await openWith({ findStored: async () => moved });
    expect(() => other.current()).toThrow(/cannot be used/);

    const clear = await openWith({ findStored: async () => stored("http://a.example", "x") });
    expect(() => clear.current()).toThrow(/cannot be used/);
  });
});

describe("a stored upstream in a private network", () => {
  const findStored = async () => stored("http://127.0.0.1:9000", "credential");

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
    const upstreams = await openWith({ findStored: async () => row });
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
    const reads: PromiseWithResolvers<StoredUpstream | null>[] = [];
    let isSlow = false;
    const upstreams = await openWith({
      findStored: () => {
        if (!isSlow) return Promise.resolve(row);
        const read = Promise.withResolvers<StoredUpstream | null>();
        reads.push(read);
        return read.promise;
      },
    });
    isSlow = true;
    const both = [upstreams.reload(), upstreams.reload()];
    isSlow = false;
    row = stored("https://a.example", "newest");
    reads[0]?.resolve(stored("https://a.example", "older"));
    await Promise.all(both);
    expect(upstreams.current().credential).toBe("newest");
  });

  test("keeps the upstream while the database is away", async () => {
    let isAway = false;
    const upstreams = await openWith({
      findStored: () =>
        isAway
          ? Promise.reject(new Error("connection refused"))
          : Promise.resolve(stored("https://a.example", "one")),
    });
    isAway = true;
    await upstreams.reload();
    expect(upstreams.current().credential).toBe("one");
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
