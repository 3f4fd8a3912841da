/** Result of one check of the doctor. */
export interface Finding {
  check: string;
  ok: boolean;
  /** True for a fact worth a look that is no fault. */
  is_note?: boolean;
  detail: string;
}
