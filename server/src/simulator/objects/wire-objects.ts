// Objects in the official shapes.

/** Metadata of a file, as the official `GET /v1/files/{id}` returns it. */
export interface FileMetadata {
  id: string;
  type: "file";
  filename: string;
  mime_type: string;
  size_bytes: number;
  created_at: string;
  downloadable: boolean;
  expires_at: string | null;
}
