import { parse } from "yaml";
import { readRepositoryFile } from "./repository-files.ts";

/** The parts of a service that tests read. */
export interface Service {
  environment: Record<string, string>;
  secrets: string[];
  ports?: string[];
  volumes: string[];
  networks: string[];
  user?: string;
  read_only: boolean;
  tmpfs: string[];
  cap_drop: string[];
  security_opt: string[];
  stop_grace_period: string;
  depends_on?: Record<string, { condition: string }>;
  healthcheck?: { test: string[] };
}

export interface ComposeFile {
  services: { bursar: Service; postgres: Service };
  networks: Record<string, { internal?: boolean }>;
  volumes: Record<string, null>;
  secrets: Record<string, { file: string }>;
}

/** `${NAME:-default}` */
const VARIABLE = /\$\{(\w+):-([^}]*)\}/g;

const text = readRepositoryFile("compose.yaml");

/** Names of the variables that a `.env` file may set. */
export function listVariables(): string[] {
  return [...text.matchAll(VARIABLE)].map(([, name = ""]) => name);
}

/** Reads the file with the default of each variable. */
export function readComposeFile(): ComposeFile {
  return parse(text.replaceAll(VARIABLE, "$2"), { strict: true }) as ComposeFile;
}
