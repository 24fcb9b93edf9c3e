import { createLogger } from '../../telemetry/logger.ts';
import type { Run } from '../command.ts';
import { serve } from '../serve.ts';

/** Serves until SIGTERM (exit 0) or Ctrl-C (exit 130); then no process of it is left. */
export const run: Run = async (invocation) => {
  const { out, options } = invocation;
  const { home, port, nodes, onRuntimeDeath, nodeCapacity, log, adminPort } =
    await invocation.settings();
  const logger = createLogger({ level: log });
  const allowSend = options['allowSend'] === true;
  return serve({
    mesh: { home, port, nodes, onRuntimeDeath, nodeCapacity, allowSend, logger: logger.line },
    adminPort,
    logger,
    onServing: async (mesh, _, adminUrl) => {
      const info = await mesh.info();
      if (out.json) out.data({ ...info, adminUrl }, () => '');
      out.note(`The mesh serves at ${info.edgeUrl}, state in ${info.home}. Ctrl-C ends it.`);
      if (adminUrl !== null) out.note(`Metrics at ${adminUrl}/metrics.`);
    },
    onStopping: (name) => {
      out.note(`${name}: the instances drain and end. The same again ends them at once.`);
    },
  });
};
