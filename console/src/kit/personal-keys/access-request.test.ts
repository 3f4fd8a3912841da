import { expect, test } from "vitest";
import { writeAccessRequest } from "./access-request.ts";

test("a message to an administrator has the account, the address and both ways to a key", () => {
  const baseUrl = "https://bursar.example.com";
  const text = writeAccessRequest({ email: "tim@example.com", baseUrl });
  for (const part of ["tim@example.com", baseUrl, "personal keys", "Create a key for me"]) {
    expect(text).toContain(part);
  }
});
