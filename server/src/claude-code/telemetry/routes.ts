import {
  listTelemetryReceivers as listRoute,
  type telemetryReceiverRoutes,
} from "@bursar/contract/admin/telemetry-receivers.ts";
import type { HandlersFor } from "@bursar/contract/route.ts";
import type { Call } from "#src/access/call.ts";
import { pagedList } from "#src/domain/paged-list.ts";
import {
  createTelemetryReceiver,
  deleteTelemetryReceiver,
  getTelemetryReceiver,
  listTelemetryReceivers,
  type TelemetryReceiverDeps,
  testTelemetryReceiver,
  updateTelemetryReceiver,
} from "./telemetry-receivers.ts";

export function makeTelemetryReceiverHandlers(
  deps: TelemetryReceiverDeps,
): HandlersFor<(typeof telemetryReceiverRoutes)[number], Call> {
  return {
    createTelemetryReceiver: (call, { body }) => createTelemetryReceiver(deps, call, body),
    listTelemetryReceivers: pagedList(
      listRoute,
      (call, _, page) => listTelemetryReceivers(deps, call, page),
      (receiver) => receiver,
    ),
    getTelemetryReceiver: (call, { params }) =>
      getTelemetryReceiver(deps, call, params.telemetry_receiver_id),
    updateTelemetryReceiver: (call, { params, body }) =>
      updateTelemetryReceiver(deps, call, params.telemetry_receiver_id, body),
    deleteTelemetryReceiver: async (call, { params }) => {
      await deleteTelemetryReceiver(deps, call, params.telemetry_receiver_id);
      return { id: params.telemetry_receiver_id, type: "telemetry_receiver_deleted" };
    },
    testTelemetryReceiver: async (call, { params }) => {
      const id = params.telemetry_receiver_id;
      const answers = await testTelemetryReceiver(deps, call, id);
      return {
        ...{ id, type: "telemetry_receiver_test" },
        is_accepted: answers.every(({ isAccepted }) => isAccepted),
        answers: answers.map(({ signal, isAccepted, status, reason }) => ({
          ...{ signal, is_accepted: isAccepted, status, reason },
        })),
      };
    },
  };
}
