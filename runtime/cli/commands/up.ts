import { createLogger } from '../../telemetry/logger.ts';
import type { Run } from '../command.ts';
import { upPeer } from '../gossip/node-peer.ts';
import { serve } from '../serve.ts';

/** Serves until SIGTERM (exit 0) or Ctrl-C (exit 130); then no process of it is left. */
export const run: Run = async (invocation) => {
  const { out, options } = invocation;
  const settings = await invocation.settings();
  const { home, port, nodes, onRuntimeDeath, nodeCapacity, log, adminPort } = settings;
  const logger = createLogger({ level: log });
  const allowSend = options['allowSend'] === true;
  return serve({
    mesh: {
      home,
      port,
      nodes,
      onRuntimeDeath,
      nodeCapacity,
      allowSend,
      logger: logger.line,
      ...upPeer(settings),
      ...(settings.coordinator && { coordinator: settings.coordinator }),
    },
    adminPort,
    logger,
    onServing: async (mesh, _, adminUrl) => {
      const info = await mesh.info();
      if (out.json) out.data({ ...info, adminUrl }, () => '');
      out.note(`The mesh serves at ${info.edgeUrl}, state in ${info.home}. Ctrl-C ends it.`);
      const peer = await mesh.peer?.info();
      if (peer !== undefined) out.note(`Its peer is ${peer.peerId}, at ${peer.relay?.url ?? ''}.`);
      if (adminUrl !== null) out.note(`Metrics at ${adminUrl}/metrics.`);
    },
    onStopping: (name) => {
      out.note(`${name}: the instances drain and end. The same again ends them at once.`);
    },
  });
};
