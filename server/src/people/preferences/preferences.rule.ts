import { refuseField } from "#src/domain/refuse-field.ts";

/** Throws a 400 for a zone that the time zone database of this server does not have. */
export function checkTimeZone(name: string | null | undefined): void {
  if (name === null || name === undefined || isTimeZone(name)) return;
  throw refuseField("time_zone", "expected the name of a time zone, such as Europe/Berlin");
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/** Throws a 400 if two views of one page have the same name. */
export function checkSavedViews(
  views: readonly { page: string; name: string }[] | undefined,
): void {
  const seen = new Set<string>();
  for (const [index, { page, name }] of (views ?? []).entries()) {
    const key = `${page} ${name.toLowerCase()}`;
    if (seen.has(key)) {
      throw refuseField(
        `saved_views.${index}.name`,
        `another view of this page is called “${name}”`,
      );
    }
    seen.add(key);
  }
}
