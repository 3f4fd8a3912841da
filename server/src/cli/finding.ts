/** Result of one check of the doctor. */
export interface Finding {
  check: string;
  ok: boolean;
  /** Nothing is wrong, but somebody should look. */
  is_note?: boolean;
  detail: string;
}
