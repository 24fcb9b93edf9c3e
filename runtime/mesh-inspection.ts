/** Looking at a running mesh, writing down what happens in it, and touching it where that is allowed. */
import type { MeshOptions, MeshParts } from './compose.ts';
import type { MeshControl, SendRequest } from './control/mesh-control.ts';
import { inspectError } from './web/errors.ts';
import { Inspectors } from './web/inspectors.ts';
import { recordTree } from './web/recording/record-tree.ts';
import { gossipOf } from './web/views/gossip-source.ts';
import type { MeshSource } from './web/views/mesh-source.types.ts';

/** What a mesh offers of it. */
export interface MeshInspection extends Pick<MeshControl, 'inspect' | 'record' | 'send'> {
  close(): Promise<void>;
}

/** `mesh` answers for the pages beside the tree; it is asked when somebody opens one. */
export function inspectionOf(
  { tree, paths, ports }: MeshParts,
  { allowSend = false, logger }: Pick<MeshOptions, 'allowSend' | 'logger'>,
  mesh: () => MeshControl,
): MeshInspection {
  const source: MeshSource = {
    info: () => mesh().info(),
    apps: () => mesh().apps(),
    rollback: (app, generation) => mesh().rollback(app, generation),
    ...(ports.certificates && { certificates: () => mesh().certificates() }),
    coordinator: () => mesh().coordinator(),
    ...gossipOf(paths.home),
  };
  const onAudit = (path: string, text: string): void =>
    logger?.({ level: 'warn', message: `audit: ${path}: ${text}` });
  const inspectors = new Inspectors(tree, {
    mesh: source,
    coverageDir: paths.coverage,
    onAudit,
  });
  return {
    inspect: (options) => inspectors.invite(options),
    record: ({ forMs } = {}, signal) => {
      const signals = [signal, forMs === undefined ? undefined : AbortSignal.timeout(forMs)];
      const over = signals.filter((one) => one !== undefined);
      return recordTree(tree, { signal: AbortSignal.any(over) });
    },
    send: async (request) => {
      if (!allowSend && !inspectors.isSending) throw readOnly(request);
      onAudit(request.path, `${request.event.type} is sent from the command line`);
      await inspectors.send(request);
    },
    close: () => inspectors.close(),
  };
}

const readOnly = ({ path, event }: SendRequest) =>
  inspectError(
    'MESH_ERR_INSPECT_READ_ONLY',
    `Sending ${event.type} to ${path} was refused: this mesh may be looked at, and not touched.`,
  );
