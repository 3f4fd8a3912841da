// Discounts as the API writes them, percent with up to four decimals, and as the database stores them, in millionths.

const PPM_PER_PERCENT = 10_000n;
const DECIMALS = 4;

/** Reads decimal text that the contract's schema has accepted. */
export function parsePpm(percent: string): bigint {
  const isNegative = percent.startsWith("-");
  const [whole = "0", fraction = ""] = percent.replace("-", "").split(".");
  const size = BigInt(whole) * PPM_PER_PERCENT + BigInt(fraction.padEnd(DECIMALS, "0"));
  return isNegative ? -size : size;
}

export function formatPpm(ppm: bigint): string {
  const size = ppm < 0n ? -ppm : ppm;
  const fraction = String(size % PPM_PER_PERCENT)
    .padStart(DECIMALS, "0")
    .replace(/0+$/, "");
  const whole = `${ppm < 0n ? "-" : ""}${size / PPM_PER_PERCENT}`;
  return fraction === "" ? whole : `${whole}.${fraction}`;
}
