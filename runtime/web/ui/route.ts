/** The view in the address, so that a link shows what its writer saw. */

export type PageName = 'actors' | 'machines' | 'events';

export interface Route {
  readonly page: PageName;
  /** Path of an actor, or key of a machine. */
  readonly subject: string | null;
  /** Number of the step that is looked at; null for now. */
  readonly at: number | null;
  readonly filter: string;
}

const PAGES: readonly PageName[] = ['actors', 'machines', 'events'];

/** Reads `#/actors/mesh/agents/node-1/hello?at=812&filter=restarts%3E0`; what is not known is home. */
export function routeOf(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?');
  const [name = '', ...rest] = path.split('/').map(decodeURIComponent);
  const page = PAGES.find((one) => one === name) ?? 'actors';
  const parameters = new URLSearchParams(query);
  const at = Number(parameters.get('at') ?? Number.NaN);
  return {
    page,
    subject: rest.length > 0 && page === name ? rest.join('/') : null,
    at: Number.isInteger(at) ? at : null,
    filter: parameters.get('filter') ?? '',
  };
}

/** The address of a view. */
export function hashOf({ page, subject, at, filter }: Route): string {
  const path = subject === null ? '' : `/${subject.split('/').map(encodeURIComponent).join('/')}`;
  const parameters = new URLSearchParams();
  if (at !== null) parameters.set('at', String(at));
  if (filter !== '') parameters.set('filter', filter);
  const query = parameters.toString();
  return `#/${page}${path}${query === '' ? '' : `?${query}`}`;
}
