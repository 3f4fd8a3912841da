import { z } from "zod";
import { lineText } from "../fields.ts";
import { route } from "../route.ts";

// Preferences of a member for the console. The API, files and money periods stay in UTC.

export const dateFormats = ["day_month_year", "month_day_year", "year_month_day"] as const;
export type DateFormat = (typeof dateFormats)[number];

export const MAX_SAVED_VIEWS = 50;
const MAX_VIEW_NAME = 60;
const MAX_VIEW_SEARCH = 2_000;

const savedView = z
  .strictObject({
    page: z
      .string()
      .regex(/^\/[A-Za-z0-9/_-]{0,199}$/, "expected the path of a page, such as /api-keys")
      .meta({ description: "Path of the page in the console." }),
    name: lineText(MAX_VIEW_NAME).meta({ description: "Unique for each page." }),
    search: z
      .string()
      .max(MAX_VIEW_SEARCH)
      .regex(
        /^(\?[!-~]*)?$/,
        "expected the query of an address, such as ?show=all&sort=-created_at",
      )
      .meta({ description: "Query of the address: filters, order and columns." }),
  })
  .meta({ id: "SavedView" });

const timeZone = z
  .string()
  .regex(/^[A-Za-z0-9_+/-]{1,64}$/, "expected the name of a time zone, such as Europe/Berlin")
  .meta({ description: "Name in the IANA time zone database. Null: the browser's zone." });

/** Preferences about times, which each page needs. */
export const timePreferences = z.object({
  time_zone: timeZone.nullable(),
  date_format: z.enum(dateFormats).nullable().meta({
    description:
      "`27 Nov 2026`, `Nov 27, 2026` or `2026-11-27`. Null: the first. Times of a day have 24 hours.",
  }),
});

const preferences = timePreferences
  .extend({
    type: z.literal("preferences"),
    saved_views: z.array(savedView).meta({ description: "In the order in which they were saved." }),
    version: z.int().min(0).meta({
      description: "Counts changes. 0: the member has set nothing.",
    }),
  })
  .meta({ id: "Preferences" });

export const getPreferences = route({
  operationId: "getPreferences",
  method: "GET",
  path: "/v1/admin/preferences",
  summary: "Get the member's own preferences",
  action: "self:read",
  audited: null,
  response: preferences,
});

export const updatePreferences = route({
  operationId: "updatePreferences",
  method: "POST",
  path: "/v1/admin/preferences",
  summary: "Change the member's own preferences",
  description:
    "Omitted fields stay. The console shows times in this zone and format. The API, files and money periods stay in UTC.",
  action: "self:write",
  audited: "preferences.updated",
  body: z.strictObject({
    time_zone: timeZone.nullable().optional(),
    date_format: z.enum(dateFormats).nullable().optional(),
    saved_views: z
      .array(savedView)
      .max(MAX_SAVED_VIEWS)
      .optional()
      .meta({ description: "Replaces all saved views." }),
    if_version: z.int().min(0).optional().meta({
      description: "Changes the preferences only at this version. Otherwise the answer is a 409.",
    }),
  }),
  response: preferences,
});

export const preferenceRoutes = [getPreferences, updatePreferences] as const;
