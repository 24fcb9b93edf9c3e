/**
 * The protocol of the control socket: HTTP/1.1 over a Unix socket, JSON both ways.
 *
 *     request    METHOD /v1/… with the parameters in the path, the rest as one JSON object
 *     answer     200 and the value as JSON; or 4xx/5xx and {"error":{code,message,hint,…}}
 *     stream     200 and one JSON value a line; a last line {"error":…} where it failed
 *
 * Version 1. A later version takes another first path segment and leaves this one as it is.
 */

/** How an operation is called; `:name` in a path is a parameter. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  /** How long it may take; null for a stream. */
  readonly timeoutMs: number | null;
}

/** A question, or a change that ends with its transaction. */
const TIMEOUT_MS = 30_000;
/** Removing waits for the drain of every instance, which may take five minutes and a half. */
const REMOVE_TIMEOUT_MS = 340_000;

export const ROUTES = {
  info: { method: 'GET', path: '/v1/info', timeoutMs: TIMEOUT_MS },
  ps: { method: 'GET', path: '/v1/instances', timeoutMs: TIMEOUT_MS },
  certificates: { method: 'GET', path: '/v1/certificates', timeoutMs: TIMEOUT_MS },
  apps: { method: 'GET', path: '/v1/apps', timeoutMs: TIMEOUT_MS },
  status: { method: 'GET', path: '/v1/apps/:app', timeoutMs: TIMEOUT_MS },
  history: { method: 'GET', path: '/v1/apps/:app/deployments', timeoutMs: TIMEOUT_MS },
  follow: { method: 'GET', path: '/v1/apps/:app/deployments/:generation', timeoutMs: null },
  run: { method: 'PUT', path: '/v1/apps/:app', timeoutMs: TIMEOUT_MS },
  scale: { method: 'POST', path: '/v1/apps/:app/scale', timeoutMs: TIMEOUT_MS },
  rollback: { method: 'POST', path: '/v1/apps/:app/rollback', timeoutMs: TIMEOUT_MS },
  restart: { method: 'POST', path: '/v1/apps/:app/restart', timeoutMs: TIMEOUT_MS },
  stop: { method: 'POST', path: '/v1/apps/:app/stop', timeoutMs: TIMEOUT_MS },
  remove: { method: 'DELETE', path: '/v1/apps/:app', timeoutMs: REMOVE_TIMEOUT_MS },
  tree: { method: 'GET', path: '/v1/tree', timeoutMs: TIMEOUT_MS },
  metrics: { method: 'GET', path: '/v1/metrics', timeoutMs: TIMEOUT_MS },
  coordinator: { method: 'GET', path: '/v1/coordinator', timeoutMs: TIMEOUT_MS },
  inspect: { method: 'POST', path: '/v1/inspectors', timeoutMs: TIMEOUT_MS },
  record: { method: 'POST', path: '/v1/recordings', timeoutMs: null },
  send: { method: 'POST', path: '/v1/actors/:path/events', timeoutMs: TIMEOUT_MS },
} as const satisfies Record<string, Route>;

export type Operation = keyof typeof ROUTES;

/** Answered by one line after the other, until it ends or somebody gives up. */
export type StreamOperation = {
  [Name in Operation]: (typeof ROUTES)[Name]['timeoutMs'] extends null ? Name : never;
}[Operation];

/** Whether it is one of those. */
export const isStream = (operation: Operation): operation is StreamOperation =>
  ROUTES[operation].timeoutMs === null;

/** A request body above this is refused. */
export const BODY_BYTES_MAX = 64 * 1024;
/** An answer or a line above this is refused: a tree of 10,000 actors takes about 2 MiB. */
export const ANSWER_BYTES_MAX = 64 * 1024 * 1024;

/** The path of an operation with its parameters filled in. */
export function pathOf(operation: Operation, parameters: Readonly<Record<string, string>>): string {
  return ROUTES[operation].path.replace(/:(\w+)/g, (_, name: string) =>
    encodeURIComponent(parameters[name] ?? ''),
  );
}

/** The operation that a request line names, or undefined. */
export function matchRoute(
  method: string,
  path: string,
): { operation: Operation; parameters: Record<string, string> } | undefined {
  const parts = path.split('/');
  for (const [operation, route] of Object.entries(ROUTES)) {
    if (route.method !== method) continue;
    const parameters = matchParts(route.path.split('/'), parts);
    if (parameters !== undefined) return { operation: operation as Operation, parameters };
  }
  return undefined;
}

function matchParts(
  pattern: readonly string[],
  parts: readonly string[],
): Record<string, string> | undefined {
  if (pattern.length !== parts.length) return undefined;
  const parameters: Record<string, string> = {};
  for (const [index, expected] of pattern.entries()) {
    const part = parts[index] ?? '';
    if (!expected.startsWith(':')) {
      if (expected !== part) return undefined;
      continue;
    }
    const value = decode(part);
    if (value === undefined || value === '') return undefined;
    parameters[expected.slice(1)] = value;
  }
  return parameters;
}

function decode(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    // A malformed escape names no route, and the caller answers just that.
    return undefined;
  }
}
