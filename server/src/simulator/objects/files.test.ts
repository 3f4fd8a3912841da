import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import Anthropic, { toFile } from "@anthropic-ai/sdk";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Clock } from "#src/lib/clock.ts";
import { measureLiveBytes } from "#test/harness/live-bytes.ts";
import { type Simulator, startSimulator } from "../server.ts";
import { MAX_FILE_BYTES } from "./answer-files.ts";
import { type FormSource, readAll, readParts } from "./read-multipart.ts";

let nowMs = Date.parse("2026-11-30T12:00:00Z");
const clock: Clock = { nowMs: () => nowMs++, monotonicMs: () => nowMs };
const folder = mkdtempSync(join(tmpdir(), "simulator-files-"));
let simulator: Simulator;
let origin: string;
let client: Anthropic;

beforeAll(async () => {
  simulator = await startSimulator({ port: 0 }, { clock, folder });
  origin = originOf(simulator);
  client = new Anthropic({ apiKey: "sk-ant-test", baseURL: origin, maxRetries: 0 });
});
afterAll(async () => {
  await simulator.close();
  rmSync(folder, { recursive: true });
});

function originOf({ address }: Simulator): string {
  if (!("origin" in address)) throw new Error("a port was asked for");
  return address.origin;
}

const upload = async (name: string, text = "hello") =>
  await client.files.upload({ file: await toFile(Buffer.from(text), name) });

describe("an uploaded file", () => {
  test("has the official metadata, and ends on its deletion", async () => {
    const file = await client.files.upload({
      file: await toFile(Buffer.from("a,b\n1,2\n"), "folder/table.csv", { type: "text/csv" }),
      expires_in_seconds: 3_600,
    });
    expect(file).toEqual({
      id: expect.stringMatching(/^file_[0-9A-Za-z]{24}$/),
      type: "file",
      filename: "table.csv",
      mime_type: "text/csv",
      size_bytes: 8,
      created_at: expect.stringMatching(/^2026-11-30T12:/),
      downloadable: false,
      expires_at: expect.stringMatching(/^2026-11-30T13:/),
    });
    expect(await client.files.retrieveMetadata(file.id)).toEqual(file);
    expect(await client.files.delete(file.id)).toEqual({ id: file.id, type: "file_deleted" });
    await expect(client.files.retrieveMetadata(file.id)).rejects.toMatchObject({
      status: 404,
      type: "not_found_error",
    });
    expect(readdirSync(join(folder, "files")).filter((name) => name.startsWith(file.id))).toEqual(
      [],
    );
  });

  test("cannot be downloaded, unless its name asks for it", async () => {
    const file = await upload("notes.txt");
    await expect(client.files.download(file.id)).rejects.toThrow(
      Anthropic.FileNotDownloadableError,
    );
    const other = await upload("downloadable.txt", "bytes\r\n--x\r\n");
    expect(await (await client.files.download(other.id)).text()).toBe("bytes\r\n--x\r\n");
    const betas = ["files-api-2025-04-14" as const];
    expect((await client.beta.files.retrieveMetadata(other.id, { betas })).scope).toBeNull();
  });

  test("loses its content when it expires", async () => {
    const file = await client.files.upload({
      file: await toFile(Buffer.from("x"), "downloadable.txt"),
      expires_in_seconds: 3_600,
    });
    nowMs += 3_600_000;
    await expect(client.files.download(file.id)).rejects.toThrow(Anthropic.FileExpiredError);
  });

  test("is known to a second process of the same folder", async () => {
    const file = await upload("shared.txt");
    const other = await startSimulator({ port: 0 }, { clock, folder });
    const second = new Anthropic({ apiKey: "sk-ant-test", baseURL: originOf(other) });
    expect(await second.files.retrieveMetadata(file.id)).toEqual(file);
    await other.close();
  });
});

describe("the list of files", () => {
  test("has pages, newest first, which continue after a deletion", async () => {
    const made = [await upload("1"), await upload("2"), await upload("3"), await upload("4")];
    const newest = made.toReversed().map(({ id }) => id);
    const first = await client.files.list({ limit: 2 });
    expect(first.data.map(({ id }) => id)).toEqual(newest.slice(0, 2));
    await client.files.delete(newest[1] ?? "");
    const second = await first.getNextPage();
    expect(second.data.map(({ id }) => id)).toEqual(newest.slice(2));
    const wanted = await client.files.list({ ids: [newest[0] ?? "", "file_none"] });
    expect(wanted.data.map(({ id }) => id)).toEqual(newest.slice(0, 1));
    expect(wanted.next_page).toBeNull();
  });

  test("refuses ids beside a page, and an invalid cursor", async () => {
    await expect(client.files.list({ ids: ["file_a"], limit: 3 })).rejects.toMatchObject({
      status: 400,
    });
    await expect(client.files.list({ page: "bm9uc2Vuc2U" })).rejects.toMatchObject({ status: 400 });
  });
});

describe("a form", () => {
  const boundary = "b0undary";
  const formOf = (content: Buffer) =>
    Buffer.concat([
      Buffer.from(
        `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="downloadable"\r\nContent-Type: text/plain\r\n\r\n`,
      ),
      content,
      Buffer.from(`\r\n--${boundary}--\r\n`),
    ]);
  const send = (headers: Record<string, string | number> = {}) =>
    httpRequest(`${origin}/v1/files`, {
      method: "POST",
      headers: { "content-type": `multipart/form-data; boundary=${boundary}`, ...headers },
    });

  test("is read in chunks of any size", async () => {
    const content = Buffer.from(`\r\n--${boundary.slice(0, 4)}\r\n-\r\n--\r\n`);
    const form = formOf(content);
    for (const size of [1, 2, 3, 7, 64, form.length]) {
      const request = send();
      const answered = once(request, "response") as Promise<[IncomingMessage]>;
      const slices = Array.from({ length: Math.ceil(form.length / size) }, (_, i) =>
        form.subarray(i * size, (i + 1) * size),
      );
      await pipeline(Readable.from(slices), request);
      const [response] = await answered;
      const file = JSON.parse(Buffer.concat(await response.toArray()).toString()) as { id: string };
      const read = await client.files.download(file.id);
      expect(Buffer.from(await read.arrayBuffer())).toEqual(content);
    }
  });

  test.each([
    ["another type", { "content-type": "application/json" }, formOf(Buffer.from("x"))],
    ["no end", {}, formOf(Buffer.from("x")).subarray(0, -20)],
    ["no file", {}, Buffer.from(`--${boundary}--\r\n`)],
  ])("with %s gets the official 400", async (_, headers, body) => {
    const request = send(headers).end(body);
    const [response] = (await once(request, "response")) as [IncomingMessage];
    expect(response.statusCode).toBe(400);
    expect(JSON.parse(Buffer.concat(await response.toArray()).toString())).toMatchObject({
      type: "error",
      error: { type: "invalid_request_error" },
    });
    expect(readdirSync(join(folder, "files")).filter((name) => name.endsWith(".part"))).toEqual([]);
  });

  test("that declares more than 500 MB gets a 413 and leaves no bytes", async () => {
    const before = readdirSync(join(folder, "files"));
    const request = send({ "content-length": MAX_FILE_BYTES + 1024 * 1024 });
    request.on("error", () => {});
    request.flushHeaders();
    const [response] = (await once(request, "response")) as [IncomingMessage];
    expect(response.statusCode).toBe(413);
    request.destroy();
    expect(readdirSync(join(folder, "files"))).toEqual(before);
  });

  test("without a declared size ends at the limit", async () => {
    const body = Readable.from([formOf(Buffer.alloc(0)).subarray(0, -20), Buffer.alloc(1_000)]);
    const source: FormSource = {
      headers: { "content-type": `multipart/form-data; boundary=${boundary}` },
      iterator: (options) => body.iterator(options),
    };
    const read = async () => {
      for await (const part of readParts(source, 500)) await readAll(part.body, 2_000);
    };
    await expect(read()).rejects.toMatchObject({ status: 413, type: "request_too_large" });
  });

  test("of 64 MB comes back byte for byte without growing memory", async () => {
    const block = randomBytes(1024 * 1024);
    const blocks = 64;
    const live: number[] = [];
    const sent = createHash("sha256");
    function* body() {
      yield formOf(Buffer.alloc(0)).subarray(0, -(boundary.length + 8));
      for (let i = 0; i < blocks; i++) {
        block.writeUInt32BE(i);
        sent.update(block);
        if (i % 16 === 15) live.push(Math.min(measureLiveBytes(), measureLiveBytes()));
        yield Buffer.from(block);
      }
      yield Buffer.from(`\r\n--${boundary}--\r\n`);
    }
    const request = send();
    const answered = once(request, "response") as Promise<[IncomingMessage]>;
    await pipeline(Readable.from(body(), { highWaterMark: 1 }), request);
    const [response] = await answered;
    const file = JSON.parse(Buffer.concat(await response.toArray()).toString()) as { id: string };
    const received = createHash("sha256");
    const [content] = (await once(
      httpRequest(`${origin}/v1/files/${file.id}/content`).end(),
      "response",
    )) as [IncomingMessage];
    for await (const chunk of content) received.update(chunk as Buffer);
    expect(received.digest("hex")).toBe(sent.digest("hex"));
    expect(Math.max(...live) - Math.min(...live)).toBeLessThan(8 * 1024 * 1024);
  });
});
