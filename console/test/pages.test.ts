import { describe, test } from "vitest";
import { testOverlaps } from "./cell-overlaps.ts";
import { testContrast } from "./contrast.ts";
import { testDocuments } from "./documents.ts";
import { expectNoFindings, loadDocument, parts } from "./inspect-pages.ts";
import { testMovedAddresses } from "./moved-addresses.ts";
import { describeConsole, SLOW_MS } from "./open-console.ts";
import { testOpenedPages } from "./opened-pages.ts";
import { testWideTables } from "./wide-tables.ts";

// These tests only read, and share one server. Each theme and each width once: axe findings by colour do not depend on
// the width.

describeConsole("pages", (console) => {
  describe("every page, loaded as a document", () => {
    test.each(parts)(
      "on wide screens in light pages have no axe findings, do not shift while loading, fit the width, also of a smaller window, and violate no policy (part %i)",
      (part) =>
        expectNoFindings(console, {
          ...{ part, openAddress: loadDocument, smallerWidth: 1100 },
          ...{ width: 1440, colorScheme: "light" },
        }),
      SLOW_MS,
    );
  });

  describe("every page, opened inside the console", () => testOpenedPages(console));

  describe("guides and the reference", () => testDocuments(console));

  describe("the check of contrast", () => testContrast(console));

  describe("the check of tables", () => {
    testOverlaps(console);
    testWideTables(console);
  });

  describe("an address of an earlier version", () => testMovedAddresses(console));
});
