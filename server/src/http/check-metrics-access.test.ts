import { describe, expect } from "vitest";
import { type AdminHarness, startAdmin } from "#test/harness/admin.ts";
import { serverTest as test } from "#test/harness/admin-test.ts";
import { makeClientFacts } from "./client-address.ts";

const TOKEN = "metrics-token-of-this-test-0123456789";

function get({ app }: AdminHarness, remoteAddress: string, headers: Record<string, string> = {}) {
  return app.inject({ method: "GET", url: "/metrics", remoteAddress, headers });
}

describe("without a token", () => {
  test.for(["127.0.0.1", "127.8.8.8", "::1"])(
    "a program of this machine reads metrics: %s",
    async (address, { h }) => {
      expect((await get(h, address)).body).toBe("# no metrics\n");
    },
  );

  test("other machines do not, whatever they send", async ({ h }) => {
    for (const headers of [{}, { authorization: "Bearer x" }, { "x-forwarded-for": "127.0.0.1" }]) {
      const { statusCode, body } = await get(h, "10.0.0.7", headers);
      expect([statusCode, JSON.parse(body).error.details.error_code]).toEqual([
        401,
        "api_key_missing",
      ]);
    }
  });

  test.for(["x-forwarded-for", "forwarded", "x-real-ip", "via"])(
    "clients of a proxy on this machine do not: %s",
    async (name, { h }) => {
      expect((await get(h, "127.0.0.1", { [name]: "127.0.0.1" })).statusCode).toBe(401);
    },
  );

  test("the admin socket reads metrics", async ({ h }) => {
    expect((await h.operator.get("/metrics")).text).toBe("# no metrics\n");
  });
});

describe("with a token", () => {
  let h: AdminHarness;
  test.beforeAll(async () => {
    const { clientAddress } = makeClientFacts([]);
    h = await startAdmin({ metricsToken: TOKEN, clientAddress });
  });
  test.afterAll(() => h.close());

  test("any machine that sends it reads metrics", async () => {
    for (const scheme of ["Bearer", "bearer"]) {
      const { body } = await get(h, "10.0.0.7", { authorization: `${scheme} ${TOKEN}` });
      expect(body).toBe("# no metrics\n");
    }
  });

  test("this machine needs it too, because a proxy may be on it", async () => {
    expect((await get(h, "127.0.0.1")).statusCode).toBe(401);
  });

  test.for([`Bearer ${TOKEN}x`, `Bearer ${TOKEN.slice(1)}`, `Basic ${TOKEN}`, "Bearer", "Bearer "])(
    "another credential is a 401: %s",
    async (authorization) => {
      const { statusCode, body } = await get(h, "10.0.0.7", { authorization });
      expect(statusCode).toBe(401);
      expect(body).not.toContain(TOKEN.slice(1));
    },
  );
});
