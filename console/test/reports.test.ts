import { testFirstDrawing } from "./first-drawing.ts";
import { describeConsole } from "./open-console.ts";
import { ReportPages } from "./report-pages.ts";
import { testRequestLog } from "./request-log.ts";
import { testStatements } from "./statements.ts";
import { testTags } from "./tags.ts";
import { testReports } from "./usage-reports.ts";

// Usage, cost, tags, statements and the request log in a real browser, over traffic that the test knows.

describeConsole("reports, tags and the request log", (console) => {
  const reports = new ReportPages(console);
  testReports(reports);
  testRequestLog(reports);
  testTags(console);
  testStatements(console);
  testFirstDrawing(console);
});
