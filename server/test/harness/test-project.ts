/**
 * Declares the test project that tests of the calling module need. Throws when the running project offers less.
 * `find-test-files.ts` reads the calls, so each call is a line of its own at the top of a module.
 */
export function requireTestProject(required: "database" | "product"): void {
  const running = process.env["TEST_PROJECT"];
  // Programs load the harness without vitest too.
  if (running === undefined || running === "product" || running === required) return;
  throw new Error(
    `This test runs in the project "${running}", and a module that it loads needs the project "${required}". ` +
      "Import that module with a static import, from the test itself or from a module below server/test or console/test. " +
      "In watch mode, restart vitest: projects are chosen at its start.",
  );
}
