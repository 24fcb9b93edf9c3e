import type { z } from 'zod';
import type { InvitationOptions } from '../web/inspectors.ts';
import { controlError } from './errors.ts';
import type { MeshControl, RunRequest } from './mesh-control.ts';
import {
  actorPath,
  appName,
  emptyBody,
  generationNumber,
  inspectBody,
  recordBody,
  rollbackBody,
  runBody,
  scaleBody,
  sentEvent,
} from './requests.schema.ts';
import type { Operation, StreamOperation } from './wire.ts';

type Parameters = Readonly<Record<string, string>>;
type Handler = (control: MeshControl, parameters: Parameters, body: unknown) => Promise<unknown>;
type StreamHandler = (
  control: MeshControl,
  parameters: Parameters,
  body: unknown,
  signal: AbortSignal,
) => AsyncIterable<unknown>;

/** What the server does for each operation: check the input, then ask the mesh. */
export const OPERATIONS: Record<Exclude<Operation, StreamOperation>, Handler> &
  Record<StreamOperation, StreamHandler> = {
  info: (control) => control.info(),
  ps: (control) => control.ps(),
  certificates: (control) => control.certificates(),
  apps: (control) => control.apps(),
  tree: (control) => control.describe(),
  metrics: (control) => control.metrics(),
  coordinator: async (control) => (await control.coordinator()) ?? null,
  inspect: async (control, _, body) =>
    control.inspect(check(inspectBody, body) as InvitationOptions),
  record: (control, _, body, signal) => {
    const { forMs } = check(recordBody, body);
    return control.record(forMs === undefined ? {} : { forMs }, signal);
  },
  send: async (control, parameters, body) => {
    const path = check(actorPath, parameters['path'], 'path');
    await control.send({ path, event: check(sentEvent, body) });
    return null;
  },
  status: async (control, parameters) => control.status(app(parameters)),
  history: async (control, parameters) => control.history(app(parameters)),
  run: async (control, parameters, body) =>
    // zod gives absent fields as absent, which its types cannot say.
    control.run({ app: app(parameters), ...check(runBody, body) } as RunRequest),
  scale: async (control, parameters, body) =>
    control.scale({ app: app(parameters), ...check(scaleBody, body) }),
  rollback: async (control, parameters, body) =>
    control.rollback(app(parameters), check(rollbackBody, body).generation),
  restart: async (control, parameters, body) => {
    check(emptyBody, body);
    return control.restart(app(parameters));
  },
  stop: async (control, parameters, body) => {
    check(emptyBody, body);
    return control.stopApp(app(parameters));
  },
  remove: async (control, parameters) => {
    await control.remove(app(parameters));
    return null;
  },
  follow: (control, parameters, _, signal) => {
    const generation = check(generationNumber, parameters['generation'], 'generation');
    return control.follow(app(parameters), generation, signal);
  },
};

const app = (parameters: Parameters): string => check(appName, parameters['app'], 'app');

function check<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  name?: string,
): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issues = result.error.issues.map((issue) => {
    const where = [...(name === undefined ? [] : [name]), ...issue.path].join('.');
    return where === '' ? issue.message : `${where}: ${issue.message}`;
  });
  throw controlError(
    'MESH_ERR_CONTROL_INVALID_REQUEST',
    `The mesh refused the request: ${issues.join('; ')}.`,
    { details: { issues } },
  );
}
