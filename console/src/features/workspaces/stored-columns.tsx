import { RelativeTime } from "../../ui/relative-time.tsx";
import type { Column } from "../../ui/table-columns.ts";

// Columns of the lists of message batches and of stored objects.

export const keyColumn: Column<{ api_key_name: string | null; api_key_id: string }> = {
  id: "key",
  header: "API key",
  from: "xl",
  sortBy: ({ api_key_name, api_key_id }) => api_key_name ?? api_key_id,
  cell: ({ api_key_name, api_key_id }) => (
    <span className="block max-w-40 truncate">{api_key_name ?? api_key_id}</span>
  ),
};

export const createdColumn: Column<{ created_at: string }> = {
  id: "created",
  header: "Created",
  from: "sm",
  isBelow: true,
  isTime: true,
  sortBy: ({ created_at }) => created_at,
  cell: ({ created_at }) => <RelativeTime at={created_at} />,
};
