/**
 * Returns the member who answers for a key: the one who took it over, or its creator. Null: no member. Statements use
 * `contactOf` of `key-contacts.sql.ts`.
 */
export function findContact(row: {
  created_by_type: string;
  created_by_id: string;
  contact_member_id: string | null;
}): string | null {
  return row.contact_member_id ?? (row.created_by_type === "member" ? row.created_by_id : null);
}
