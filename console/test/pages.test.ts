import { test } from "vitest";
import { expectNoFindings, loadDocument } from "./inspect-pages.ts";
import { describeConsole, SLOW_MS } from "./open-console.ts";

// Each theme and each width once, with opened-pages.test.ts. axe findings by colour do not depend on the width.

describeConsole("every page, loaded as a document", (console) => {
  test(
    "on wide screens in light pages have no axe findings, do not shift while loading, fit the width, and violate no policy",
    () => expectNoFindings(console, { width: 1440, colorScheme: "light" }, loadDocument),
    SLOW_MS,
  );
});
