import { X509Certificate } from "node:crypto";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer } from "node:tls";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { LOCAL_CERTIFICATE, LOCAL_CERTIFICATE_KEY } from "#test/harness/test-certificate.ts";
import { findMachineFile } from "./machine-file.ts";
import { run } from "./program.ts";
import { terminal } from "./terminal.ts";

const URL = "http://127.0.0.1:8484";
const login = { forceLoginMethod: "gateway", forceLoginGatewayUrl: URL };
let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "machine-file-"));
  file = join(folder, "claude-code", "managed-settings.json");
});

afterEach(() => rmSync(folder, { recursive: true }));

async function bursar(...args: string[]) {
  let stdout = "";
  let stderr = "";
  const note = (text: string) => {
    stderr += `${text}\n`;
  };
  const log = vi.spyOn(console, "log").mockImplementation((text) => {
    stdout += `${text}\n`;
  });
  const deps = { env: {}, terminal: { ...terminal, note }, nowMs: () => 0 };
  const code = await run(deps, ["claude-code", ...args, "--file", file]);
  log.mockRestore();
  return { code, stdout, stderr };
}

const readFile = () => JSON.parse(readFileSync(file, "utf8")) as unknown;

test("each system has its own machine file", () => {
  expect(findMachineFile("linux")).toBe("/etc/claude-code/managed-settings.json");
  expect(findMachineFile("darwin")).toBe(
    "/Library/Application Support/ClaudeCode/managed-settings.json",
  );
  expect(findMachineFile("win32")).toBe("C:\\Program Files\\ClaudeCode\\managed-settings.json");
});

describe("install", () => {
  test("writes a file that every user can read", async () => {
    const { code, stdout } = await bursar("install", "--url", `${URL}/`);
    expect(code).toBe(0);
    expect(stdout).toContain(`Wrote ${file}.`);
    expect(readFile()).toEqual(login);
    expect(statSync(file).mode & 0o777).toBe(0o644);
  });

  test("keeps other settings, the permissions and a link of an existing file", async () => {
    await bursar("install", "--url", "http://127.0.0.1:1");
    const target = join(folder, "target.json");
    const others = { permissions: { deny: ["Read(./.env)"] }, env: { A: "b" } };
    writeFileSync(target, `\uFEFF${JSON.stringify({ ...others, forceLoginMethod: "console" })}`);
    chmodSync(target, 0o640);
    rmSync(file);
    symlinkSync(target, file);
    await bursar("install", "--url", URL);
    expect(readFile()).toEqual({ ...others, ...login });
    expect(lstatSync(file).isSymbolicLink()).toBe(true);
    expect(statSync(target).mode & 0o777).toBe(0o640);
  });

  test("prints the file without writing it", async () => {
    const { code, stdout, stderr } = await bursar("install", "--url", URL, "--print");
    expect({ code, settings: JSON.parse(stdout) as unknown }).toEqual({ code: 0, settings: login });
    expect(stderr).toContain(file);
    expect(existsSync(file)).toBe(false);
  });

  test.each([
    ['{ "env": ', "is not valid JSON"],
    ["[]", "has no JSON object"],
  ])("refuses a file with %j and leaves it alone", async (text, message) => {
    await bursar("install", "--url", URL);
    writeFileSync(file, text);
    const { code, stderr } = await bursar("install", "--url", URL);
    expect(code).toBe(1);
    expect(stderr).toContain(message);
    expect(readFileSync(file, "utf8")).toBe(text);
  });

  test.each([
    ["http://10.0.0.1", "has no https"],
    // Claude Code accepts no other name or address of this machine.
    ["http://127.0.0.2:8484", "has no https"],
    ["https://8.8.8.8", "private addresses only"],
    [`${URL}/v1`, "without a path"],
    ["bursar.example.com", "Expected an address"],
  ])("refuses the address %s", async (url, message) => {
    const { code, stderr } = await bursar("install", "--url", url);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
    expect(existsSync(file)).toBe(false);
  });

  test("shows the fingerprint of the certificate", async () => {
    const server = createServer({ cert: LOCAL_CERTIFICATE, key: LOCAL_CERTIFICATE_KEY });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { fingerprint256 } = new X509Certificate(LOCAL_CERTIFICATE);
    try {
      const { stdout } = await bursar("install", "--url", url);
      expect(stdout).toContain(fingerprint256.replaceAll(":", "").toLowerCase());
      expect(stdout).toContain("does not trust the certificate");
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
    const { code, stdout } = await bursar("install", "--url", url);
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: expect.stringContaining("did not respond"),
    });
  });
});

describe("uninstall", () => {
  test("removes the sign-in and keeps other settings", async () => {
    await bursar("install", "--url", URL);
    writeFileSync(file, JSON.stringify({ ...login, env: { A: "b" } }));
    expect((await bursar("uninstall")).code).toBe(0);
    expect(readFile()).toEqual({ env: { A: "b" } });
  });

  test("removes a file with nothing else, and is idempotent", async () => {
    await bursar("install", "--url", URL);
    await bursar("uninstall");
    expect(existsSync(file)).toBe(false);
    const { code, stdout } = await bursar("uninstall");
    expect({ code, stdout }).toEqual({ code: 0, stdout: `${file} has no sign-in at a gateway.\n` });
  });

  test("leaves another sign-in alone", async () => {
    await bursar("install", "--url", URL);
    writeFileSync(file, JSON.stringify({ forceLoginMethod: "console" }));
    await bursar("uninstall");
    expect(readFile()).toEqual({ forceLoginMethod: "console" });
  });
});
