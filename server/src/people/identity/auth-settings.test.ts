import { expect, test } from "vitest";
import { removeForeignVariables } from "./auth-settings.ts";

test("removes environment variables that would change better-auth's identification or reports", () => {
  const environment = {
    BETTER_AUTH_SECRET: "x",
    BETTER_AUTH_SECRETS: "2:x",
    BETTER_AUTH_TELEMETRY: "1",
    BETTER_AUTH_TELEMETRY_ENDPOINT: "https://elsewhere.example",
    BETTER_AUTH_URL: "https://elsewhere.example",
    AUTH_SECRET: "x",
    BURSAR_PORT: "8484",
    PATH: "/bin",
  };
  removeForeignVariables(environment);
  expect(environment).toEqual({ BURSAR_PORT: "8484", PATH: "/bin" });
});
