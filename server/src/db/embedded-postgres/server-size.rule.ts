/** Facts that decide the settings of the embedded PostgreSQL. */
export interface ServerPlace {
  /** Memory for the server and all its connections, bytes. */
  memoryBytes: number;
  /** Memory of the machine or its container, bytes. */
  machineBytes: number;
  /** Size of the disk with the database, bytes. */
  diskBytes: number;
  /** Size of the file system for shared memory, bytes. Null: the platform has none. */
  sharedFolderBytes: number | null;
  /** Connections that clients keep open. */
  connections: number;
}

const KIB = 1024;
const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

const MACHINE_SHARE = 1 / 4;
/** The gateway and the cache of the file system use the rest of a large machine. */
const MAX_MEMORY = 8 * GIB;
/** Private memory of a connection with its prepared statements. Idle connections of a node took 2 to 4 MiB. */
const CONNECTION_BYTES = 3 * MIB;
/** Least share of the memory that connections leave for everything else. */
const LEAST_REST = 1 / 4;
/** Concurrent sorts and hashes: eight reports (BURSAR_ADMIN_CONNECTIONS) with two each. */
const CONCURRENT_SORTS = 16;
const VACUUM_WORKERS = 3;

/** Returns the memory of the embedded PostgreSQL, bytes: a quarter of the machine's, up to a cap. */
export function chooseServerMemory(machineBytes: number): number {
  return Math.min(MAX_MEMORY, Math.floor(machineBytes * MACHINE_SHARE));
}

/**
 * Returns the lower of the machine's memory and its container's limit, bytes. A limit of 0, or above the machine's
 * memory, means no limit.
 */
export function findUsableMemory(machineBytes: number, limitBytes: number | undefined): number {
  return limitBytes !== undefined && limitBytes > 0
    ? Math.min(machineBytes, limitBytes)
    : machineBytes;
}

/**
 * Returns the settings whose best value depends on the machine. Connections have the first part of the memory. The rest
 * is divided: a half for shared buffers, 3/16 for sorts, 1/8 each for maintenance and autovacuum, and a reserve.
 */
export function sizeServer(place: ServerPlace): Record<string, string> {
  const { memoryBytes, machineBytes, sharedFolderBytes } = place;
  const rest = Math.max(
    memoryBytes * LEAST_REST,
    memoryBytes - place.connections * CONNECTION_BYTES,
  );
  const sortBytes = clamp((rest * 3) / 16 / CONCURRENT_SORTS, 256 * KIB, 64 * MIB);
  const maxWal = chooseMaxWal(place);
  return {
    shared_buffers: toKilobytes(clamp(rest / 2, 16 * MIB, 4 * GIB)),
    work_mem: toKilobytes(sortBytes),
    maintenance_work_mem: toKilobytes(clamp(rest / 8, 4 * MIB, 512 * MIB)),
    autovacuum_work_mem: toKilobytes(clamp(rest / 8 / VACUUM_WORKERS, 2 * MIB, 256 * MIB)),
    autovacuum_max_workers: String(VACUUM_WORKERS),
    wal_buffers: toKilobytes(clamp(rest / 32, MIB, 16 * MIB)),
    // An estimate for the planner. PostgreSQL does not allocate it.
    effective_cache_size: toKilobytes(Math.max(machineBytes / 2, 64 * MIB)),
    max_wal_size: toKilobytes(maxWal),
    min_wal_size: toKilobytes(Math.max(maxWal / 8, 80 * MIB)),
    checkpoint_timeout: "15min",
    // Balances and nodes change several times a second, and small tables grow by their dead rows.
    autovacuum_naptime: "15s",
    autovacuum_vacuum_scale_factor: "0.1",
    autovacuum_analyze_scale_factor: "0.05",
    autovacuum_vacuum_cost_limit: "1000",
    ...(isTooSmallForSorts(sharedFolderBytes, sortBytes) && { dynamic_shared_memory_type: "mmap" }),
  };
}

/**
 * WAL is not compressed. This PostgreSQL can only do so with pglz, and updates then took six times the CPU time for 8 %
 * less WAL. Distant checkpoints write less WAL, but a crash then replays more: about 100 MB a second. The files need at most a
 * twentieth of the disk.
 */
function chooseMaxWal({ diskBytes, machineBytes }: ServerPlace): number {
  const wanted = machineBytes < 2 * GIB ? GIB : 2 * GIB;
  return clamp(diskBytes / 20, 256 * MIB, wanted);
}

/** Parallel statements share hash tables: two sorts for each of three processes. A container often has 64 MB. */
function isTooSmallForSorts(folderBytes: number | null, sortBytes: number): boolean {
  return folderBytes !== null && folderBytes < CONCURRENT_SORTS * 6 * sortBytes;
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}

function toKilobytes(bytes: number): string {
  return `${Math.floor(bytes / KIB)}kB`;
}
