import { afterAll, beforeAll } from "vitest";
import { startPreparing, stopPreparing } from "./prepare-statements.ts";

// A setup file of the database tests: each file prepares its statements, unless it calls `planForValues`.

beforeAll(startPreparing);
afterAll(stopPreparing);
