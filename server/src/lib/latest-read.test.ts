import { expect, test } from "vitest";
import { makeLatestRead } from "./latest-read.ts";

test("the result of an earlier read does not replace that of a later one", async () => {
  const reads: PromiseWithResolvers<string>[] = [];
  const applied: string[] = [];
  const reload = makeLatestRead(
    () => {
      const read = Promise.withResolvers<string>();
      reads.push(read);
      return read.promise;
    },
    (result) => applied.push(result),
  );
  const reloads = [reload(), reload(), reload()];
  reads[1]?.resolve("second");
  await reloads[1];
  reads[0]?.resolve("first");
  await reloads[0];
  expect(applied).toEqual(["second"]);
  reads[2]?.reject(new Error("the database is away"));
  await expect(reloads[2]).rejects.toThrow("the database is away");
  expect(applied).toEqual(["second"]);
});
