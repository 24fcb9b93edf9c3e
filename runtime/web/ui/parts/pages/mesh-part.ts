import type { MeshView } from '../../views.types.ts';
import type { Mood } from '../status.tsx';

export type Known = Extract<MeshView, { available: true }>;

/** How a state of the mesh's parts reads, whichever part it is. */
export const moodOf = (state: string): Mood => {
  if (/fail|lost|refus|expire|invalid|broken|alert|revok|error/i.test(state)) return 'bad';
  if (/recover|wait|start|connect|sync|request|issu|renew|blank|empty|joining/i.test(state))
    return /connected|issued|synced|started/i.test(state) ? 'good' : 'busy';
  return /stop|idle|off|left/i.test(state) ? 'idle' : 'good';
};

/** Each panel of the page takes what it needs of the whole. */
export interface MeshPart {
  readonly view: Known;
}
