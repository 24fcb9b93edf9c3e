/** The view in the address, so that a link shows what its writer saw. */

export type PageName = 'actors' | 'machines' | 'workloads' | 'mesh' | 'messages' | 'events';

export interface Route {
  readonly page: PageName;
  /** Path of an actor, key of a machine, or name of an app. */
  readonly subject: string | null;
  /** Number of the step that is looked at; null for now. */
  readonly at: number | null;
  readonly filter: string;
  /** Paths of the actors in the sequence diagram. */
  readonly pins: readonly string[];
  /** Id of a recording that is looked at; null for what runs. */
  readonly recording: string | null;
}

/** Lanes that fit beside each other and can still be told apart. */
export const PINS_MAX = 3;

export const PAGES: readonly PageName[] = [
  'actors',
  'machines',
  'workloads',
  'mesh',
  'messages',
  'events',
];

/** Reads `#/actors/mesh/agents/node-1/hello?at=812&filter=restarts%3E0`; what is not known is home. */
export function routeOf(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?');
  const [name = '', ...rest] = path.split('/').map(decoded);
  const page = PAGES.find((one) => one === name) ?? 'actors';
  const parameters = new URLSearchParams(query);
  const at = Number(parameters.get('at') ?? Number.NaN);
  return {
    page,
    subject: rest.length > 0 && page === name ? rest.join('/') : null,
    at: Number.isInteger(at) ? at : null,
    filter: parameters.get('filter') ?? '',
    pins: [...new Set(parameters.getAll('pin'))].slice(0, PINS_MAX),
    recording: parameters.get('recording'),
  };
}

/** A stray percent sign stands for itself: people type addresses. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    // It is no encoding, so it is text.
    return part;
  }
}

/** The address of a view. */
export function hashOf({ page, subject, at, filter, pins, recording }: Route): string {
  const path = subject === null ? '' : `/${subject.split('/').map(encoded).join('/')}`;
  const parameters = new URLSearchParams();
  if (at !== null) parameters.set('at', String(at));
  if (filter !== '') parameters.set('filter', filter);
  for (const pin of pins) parameters.append('pin', pin);
  if (recording !== null) parameters.set('recording', recording);
  const query = parameters.toString().replaceAll('%2F', '/');
  return `#/${page}${path}${query === '' ? '' : `?${query}`}`;
}

/** `@` may stand in a path as it is, and reads better so. */
const encoded = (part: string): string => encodeURIComponent(part).replaceAll('%40', '@');
