import { createServer } from "node:net";
import { describe, expect, test } from "vitest";
import { PRIVATE_ADDRESS } from "#src/lib/guarded-lookup.ts";
import { parseAllowedTargets } from "#src/lib/target-address.ts";
import { listenRaw, rawResponse, recordCall } from "#test/harness/raw-upstream.ts";
import { openClient, upstreamClients } from "#test/harness/upstream-clients.ts";
import { makeUpstreamLookup } from "./upstream-target.ts";

/** Returns each response once, in order, and then the last one again. */
function resolver(...answers: string[][]) {
  const asked: string[] = [];
  const resolve = async (host: string) => {
    const addresses = answers[Math.min(asked.length, answers.length - 1)] ?? [];
    asked.push(host);
    return addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
  };
  return { asked, resolve };
}

describe.each(upstreamClients)("names of a stored upstream over %s", (_, turnEnd) => {
  const listen = () =>
    listenRaw(createServer(), "connection", ({ socket }) => socket.write(rawResponse("hello")));
  const open = (port: number, resolve: ReturnType<typeof resolver>["resolve"], allowed: string[]) =>
    openClient(`http://claude.example.com:${port}`, {
      turnEnd,
      lookup: makeUpstreamLookup(parseAllowedTargets(allowed), resolve),
    });

  test.each([
    [["127.0.0.1"]],
    [["8.8.8.8", "127.0.0.1"]],
    [["10.0.0.1"]],
    [["169.254.1.1"]],
    [["::1"]],
    [["::ffff:127.0.0.1"]],
    [["64:ff9b::7f00:1"]],
  ])("a name with a private address gets no connection: %j", async (addresses) => {
    const upstream = await listen();
    const { resolve } = resolver(addresses);
    const record = await recordCall(open(upstream.port, resolve, []));
    expect(record).toMatchObject({ errors: [PRIVATE_ADDRESS], starts: 0 });
    expect(upstream.sockets).toEqual([]);
  });

  test("a name of a metadata service gets no connection, even if the name is allowed", async () => {
    const { resolve } = resolver(["169.254.169.254"]);
    const record = await recordCall(open(80, resolve, ["claude.example.com", "0.0.0.0/0"]));
    expect(record.errors).toEqual([PRIVATE_ADDRESS]);
  });

  test("a name is checked with each connection, so a changed one reaches nothing", async () => {
    const upstream = await listen();
    const { resolve, asked } = resolver(["127.0.0.1"], ["127.0.0.2"]);
    const client = open(upstream.port, resolve, ["127.0.0.1"]);
    const records = await Promise.all([recordCall(client), recordCall(client)]);
    expect(records.map(({ body }) => body).sort()).toEqual(["", "hello"]);
    expect(records.flatMap(({ errors }) => errors)).toEqual([PRIVATE_ADDRESS]);
    expect(asked).toEqual(["claude.example.com", "claude.example.com"]);
    expect(upstream.sockets).toHaveLength(1);
  });

  test("an allowed name may be private", async () => {
    const upstream = await listen();
    const { resolve } = resolver(["127.0.0.1"]);
    const record = await recordCall(open(upstream.port, resolve, ["Claude.Example.com"]));
    expect(record).toMatchObject({ body: "hello", errors: [] });
  });

  test("a name without an address fails", async () => {
    const record = await recordCall(open(80, resolver([]).resolve, []));
    expect(record.errors).toEqual(["ENOTFOUND"]);
  });
});
