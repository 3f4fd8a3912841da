/** Result of one check of the doctor. */
export interface Finding {
  check: string;
  ok: boolean;
  /** True for a fact that deserves attention but is no fault. */
  is_note?: boolean;
  detail: string;
}
