import { Link } from "@tanstack/react-router";
import { useMay } from "../../session.ts";
import { formatPlural } from "../../ui/format.ts";
import type { SecuritySettings } from "./queries.ts";

/** Number of keys that exceed the maximum lifetime, with links to them. Nothing without a maximum. */
export function ExceedingKeys({ settings }: { settings: SecuritySettings }) {
  const may = useMay();
  const { api_keys, admin_keys } = settings.keys_beyond_max_lifetime;
  if (settings.max_key_lifetime_days === null) return null;
  if (api_keys + admin_keys === 0) {
    return <p className="text-sm text-good">All working keys comply.</p>;
  }
  const apiKeys = formatPlural(api_keys, "API key");
  const adminKeys = formatPlural(admin_keys, "admin key");
  return (
    <p role="status" className="rounded-md bg-warn-wash px-4 py-3 text-sm text-warn">
      {may("api_keys:read") && api_keys > 0 ? (
        <Link to="/api-keys" search={{ show: "beyond" }} className="font-semibold underline">
          {apiKeys}
        </Link>
      ) : (
        apiKeys
      )}{" "}
      and{" "}
      {may("admin_keys:read") && admin_keys > 0 ? (
        <Link to="/admin-keys" className="font-semibold underline">
          {adminKeys}
        </Link>
      ) : (
        adminKeys
      )}{" "}
      exceed the maximum lifetime. Rotate these keys, or set an earlier expiry.
    </p>
  );
}
