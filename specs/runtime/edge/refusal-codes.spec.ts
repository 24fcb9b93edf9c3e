import { describe, expect, it } from 'vitest';
import { codeIn, startEdge } from './edge-world.ts';

const HOST = 'Host: a\r\n\r\n';

describe('a refusal of the edge', () => {
  it.each([
    [
      'no instance that may take traffic',
      `GET /app/ HTTP/1.1\r\nConnection: close\r\n${HOST}`,
      'MESH_ERR_EDGE_NO_TARGET',
    ],
    [
      'a first line over the limit',
      `GET /app/${'a'.repeat(3000)} HTTP/1.1\r\n${HOST}`,
      'MESH_ERR_EDGE_TARGET_TOO_LONG',
    ],
    [
      'a head over the limit',
      `GET /app/ HTTP/1.1\r\nX: ${'a'.repeat(3000)}\r\n${HOST}`,
      'MESH_ERR_EDGE_HEAD_TOO_LARGE',
    ],
  ])('names %s', async (_, text, code) => {
    await using world = await startEdge({ headBytesMax: 2048 });
    world.routes.publish('app', []);
    expect(codeIn(await world.ask(text))).toBe(code);
  });
});
