import { describe, expect, it } from 'vitest';
import { KilledRelay } from '../../support/gossip/killed-relay.ts';
import { scratch } from '../../support/scratch.ts';
import { seededRandom } from '../../support/supervised.ts';

const KILLS = Number(process.env['MESH_RELAY_KILLS'] ?? 20);

describe('a relay that is killed', () => {
  it(`loses nothing that it answered, and gives nothing twice that was acknowledged: ${KILLS} kill -9`, async () => {
    using folder = scratch();
    const relay = new KilledRelay(
      folder.file('relay.sqlite'),
      folder.file('cache'),
      seededRandom(5),
    );
    // Fills the compile cache, which a killed program does not write.
    await relay.settle();
    for (let round = 0; round < KILLS; round++) await relay.round();
    await relay.settle();
    const { tally } = relay;
    console.log(JSON.stringify(tally));
    expect(tally).toMatchObject({ kills: KILLS, lost: 0, risen: 0, invented: 0, refused: 0 });
    expect(tally.accepted).toBeGreaterThan(KILLS);
  }, 900_000);
});
