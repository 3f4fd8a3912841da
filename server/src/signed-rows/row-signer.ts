import { createHmac, hkdfSync, timingSafeEqual } from "node:crypto";
import { formatContent, nameRow, type RowContent, type SignedTable } from "./row-content.ts";

/** Derives the key of row MACs from the installation's secret. */
export function deriveRowKey(secret: string): Buffer {
  return Buffer.from(hkdfSync("sha256", secret, "", "bursar rows v1", 32));
}

export interface RowSigner {
  /** True once every row must have a valid MAC. Never false again in this process. */
  readonly isRequired: boolean;
  /** Refuses unsigned rows from now on. */
  require(): void;
  /** Returns the MAC of a row, 32 bytes. */
  sign<Table extends SignedTable>(table: Table, row: RowContent<Table>): Buffer;
  /** True if the MAC belongs to this content, whatever `isRequired` is. */
  isGenuine<Table extends SignedTable>(
    table: Table,
    row: RowContent<Table>,
    mac: Uint8Array | null,
  ): boolean;
  /** True if an authentication may use the row. Reports a row that it may not. */
  isUsable<Table extends SignedTable>(
    table: Table,
    row: RowContent<Table>,
    mac: Uint8Array | null,
  ): boolean;
  /** Refused rows since the start of this process. */
  countRefused(): number;
}

export function makeRowSigner(options: {
  /** Secret of the installation: BURSAR_SECRET. */
  secret: string;
  /** Called for each refused row, with its primary key as text. */
  onRefused?: (table: SignedTable, id: string) => void;
}): RowSigner {
  const key = deriveRowKey(options.secret);
  let isRequired = false;
  let refused = 0;
  const sign: RowSigner["sign"] = (table, row) =>
    createHmac("sha256", key).update(formatContent(table, row)).digest();
  const isGenuine: RowSigner["isGenuine"] = (table, row, mac) => {
    const computed = sign(table, row);
    return mac !== null && mac.length === computed.length && timingSafeEqual(mac, computed);
  };
  return {
    get isRequired() {
      return isRequired;
    },
    require: () => {
      isRequired = true;
    },
    sign,
    isGenuine,
    isUsable: (table, row, mac) => {
      if (!isRequired || isGenuine(table, row, mac)) return true;
      refused += 1;
      options.onRefused?.(table, nameRow(table, row));
      return false;
    },
    countRefused: () => refused,
  };
}
