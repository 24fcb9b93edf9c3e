/** What the REST side answers with. */
import type { Context } from 'hono';
import type { HttpBindings } from '@hono/node-server';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { ErrorJson } from '../../../machines/kernel/coded-error.ts';
import { inspectError } from '../errors.ts';
import type { INSPECT_ERRORS } from '../errors.ts';
import type { Answer } from './questions.ts';

export type Env = { Bindings: HttpBindings };
export type InspectCode = keyof typeof INSPECT_ERRORS;

const STATUS_OF: Readonly<Record<string, ContentfulStatusCode>> = {
  MESH_ERR_INSPECT_HOST: 403,
  MESH_ERR_INSPECT_ORIGIN: 403,
  MESH_ERR_INSPECT_READ_ONLY: 403,
  MESH_ERR_INSPECT_TOKEN: 401,
  MESH_ERR_INSPECT_UNKNOWN: 404,
  MESH_ERR_FABRIC_UNKNOWN_APP: 404,
  MESH_ERR_INSPECT_REQUEST: 400,
  MESH_ERR_INSPECT_RECORDING: 400,
  MESH_ERR_INSPECT_RECORDING_NEWER: 400,
  MESH_ERR_INSPECT_BUSY: 503,
  MESH_ERR_INSPECT_FAILED: 500,
};

/** `{"error": {code, message, hint}}`; 409 for what the mesh itself refuses. */
export const refused = (context: Context<Env>, error: ErrorJson): Response =>
  context.json({ error }, STATUS_OF[error.code] ?? 409);

/** The same, of a row of this table. */
export const refuse = (context: Context<Env>, code: InspectCode, message: string): Response =>
  refused(context, inspectError(code, message).toJSON());

/** What was asked of the main thread, or why there is no answer. */
export async function answered(context: Context<Env>, asked: Promise<Answer>): Promise<Response> {
  const given = await asked;
  if (given.type === 'busy')
    return refuse(context, 'MESH_ERR_INSPECT_BUSY', 'The runtime does not answer.');
  if (given.type === 'error') return refused(context, given.error);
  return given.body === undefined
    ? refuse(context, 'MESH_ERR_INSPECT_UNKNOWN', 'No such thing.')
    : context.json(given.body);
}
