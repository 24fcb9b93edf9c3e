/** How something of the mesh is doing, in the four colours and signs that the page has for it. */
export type Mood = 'good' | 'bad' | 'busy' | 'idle';

/** How a state of the mesh's parts reads, whichever part it is. */
export const moodOf = (state: string): Mood => {
  if (/fail|lost|refus|expire|invalid|broken|alert|revok|error/i.test(state)) return 'bad';
  if (/recover|wait|start|connect|sync|request|issu|renew|blank|empty|joining/i.test(state))
    return /connected|issued|synced|started/i.test(state) ? 'good' : 'busy';
  return /stop|idle|off|left/i.test(state) ? 'idle' : 'good';
};
