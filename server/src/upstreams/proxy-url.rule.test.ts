import { expect, test } from "vitest";
import { findEnvironmentProxy, parseProxyUrl } from "./proxy-url.rule.ts";

const proxy = { url: "http://proxy.example:3128", credential: null };

test.each([
  ["http://proxy.example:3128", proxy],
  ["http://proxy.example:3128/", proxy],
  ["http://proxy.example", { ...proxy, url: "http://proxy.example" }],
  [
    "https://user:p%40ss@proxy.example",
    {
      url: "https://proxy.example",
      credential: `Basic ${Buffer.from("user:p@ss").toString("base64")}`,
    },
  ],
  ["socks5://proxy.example", null],
  ["http://proxy.example/path", null],
  ["http://proxy.example?x", null],
  ["http://user:%zz@proxy.example", null],
  ["proxy.example:3128", null],
])("%s is parsed", (text, parsed) => {
  expect(parseProxyUrl(text)).toEqual(parsed);
});

test.each([
  [[], true],
  [["*"], false],
  [["anthropic.com"], false],
  [[".anthropic.com"], false],
  [["*.anthropic.com"], false],
  [["api.anthropic.com:443"], false],
  [["API.ANTHROPIC.COM"], false],
  [["api.anthropic.com:8443"], true],
  [["thropic.com"], true],
  [["", "."], true],
])("the exceptions %j leave the proxy of api.anthropic.com: %s", (exceptions, isProxied) => {
  const found = findEnvironmentProxy({ proxy, exceptions }, "https://api.anthropic.com");
  expect(found).toEqual(isProxied ? proxy : null);
});

test("an upstream without TLS has no proxy", () => {
  expect(findEnvironmentProxy({ proxy, exceptions: [] }, "http://127.0.0.1:9")).toBeNull();
});
