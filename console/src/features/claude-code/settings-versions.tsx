import { useState } from "react";
import { call } from "../../api-client.ts";
import { useSetterNames } from "../../kit/members/setter-names.ts";
import { Badge } from "../../ui/badge.tsx";
import { Button } from "../../ui/button.tsx";
import { Section } from "../../ui/page.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { SkeletonRows } from "../../ui/states.tsx";
import { type Column, Table } from "../../ui/table.tsx";
import { RestoreVersionDialog } from "./settings-dialogs.tsx";
import type { SettingsPolicy } from "./settings-draft.ts";
import {
  type SettingsVersion,
  useCheckManagedSettings,
  useSettingsVersions,
} from "./settings-queries.ts";

interface LoadedVersion {
  policies: readonly SettingsPolicy[];
  error: Error | null;
}

const NOT_LOADED: LoadedVersion = { policies: [], error: null };

interface Props {
  currentVersion: number;
  groupNames: ReadonlyMap<string, string>;
  /** Null: unsaved changes prevent a restoration. */
  onRestored: (() => void) | null;
}

/** All versions, each with the button that restores it. */
export function SettingsVersions({ currentVersion, groupNames, onRestored }: Props) {
  const versions = useSettingsVersions();
  const nameOf = useSetterNames();
  const [chosen, setChosen] = useState<SettingsVersion | null>(null);
  const [loaded, setLoaded] = useState<LoadedVersion>(NOT_LOADED);
  const check = useCheckManagedSettings();
  const open = async (version: SettingsVersion) => {
    check.reset();
    setLoaded(NOT_LOADED);
    setChosen(version);
    try {
      const params = { managed_settings_version_id: version.id ?? "" };
      const { policies } = await call("getManagedSettingsVersion", { params });
      setLoaded({ policies, error: null });
      check.mutate({ body: params });
    } catch (error) {
      setLoaded({ policies: [], error: error instanceof Error ? error : new Error(String(error)) });
    }
  };
  const columns: Column<SettingsVersion>[] = [
    {
      id: "version",
      header: "Version",
      cell: ({ version, is_signed }) => (
        <span className="flex flex-wrap items-center gap-2">
          <span className="figures font-medium">{version}</span>
          {version === currentVersion && <Badge tone="good">current</Badge>}
          {!is_signed && <Badge tone="bad">not from this server</Badge>}
        </span>
      ),
    },
    {
      id: "saved",
      header: "Saved",
      cell: ({ created_at, created_by }) => (
        <span className="grid grid-cols-[auto]">
          {created_at && <RelativeTime at={created_at} />}
          <span className="text-xs text-quiet">{nameOf(created_by)}</span>
        </span>
      ),
    },
    {
      id: "comment",
      header: "Comment",
      from: "sm",
      isBelow: true,
      cell: ({ comment, restored_version }) =>
        restored_version === null ? comment : `Version ${restored_version} again. ${comment ?? ""}`,
    },
    {
      id: "actions",
      header: "",
      isNumeric: true,
      cell: (row) =>
        row.version !== currentVersion &&
        row.is_signed && (
          <Button
            kind="quiet"
            disabled={onRestored === null}
            onClick={() => void open(row)}
            aria-label={`Restore version ${row.version}…`}
          >
            Restore…
          </Button>
        ),
    },
  ];
  const rows = versions.data?.items ?? [];
  return (
    <Section
      title="Versions"
      lead={
        onRestored
          ? "Each change adds a version. Compare one before you restore it."
          : "Save or discard the changes above before you restore a version."
      }
    >
      {versions.isPending ? (
        <SkeletonRows rows={2} />
      ) : rows.length === 0 ? (
        <p className="text-sm text-quiet">No version yet.</p>
      ) : (
        <Table
          label="Versions"
          columns={columns}
          rows={rows}
          rowKey={({ version }) => String(version)}
        />
      )}
      {chosen && onRestored && (
        <RestoreVersionDialog
          version={chosen}
          check={check.data ?? null}
          policies={loaded.policies}
          error={loaded.error ?? check.error}
          groupNames={groupNames}
          onClose={() => setChosen(null)}
          onSaved={onRestored}
        />
      )}
    </Section>
  );
}
