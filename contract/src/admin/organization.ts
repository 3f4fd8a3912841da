import { z } from "zod";
import { organizationId } from "../ids.ts";
import { route } from "../route.ts";

export const organization = z
  .object({ id: organizationId, name: z.string(), type: z.literal("organization") })
  .meta({ id: "Organization" });

export const getOrganization = route({
  operationId: "getOrganization",
  method: "GET",
  path: "/v1/organizations/me",
  summary: "Get the organization",
  action: "organization:read",
  audited: null,
  response: organization,
});

export const organizationRoutes = [getOrganization] as const;
