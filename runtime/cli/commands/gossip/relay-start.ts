import { join } from 'node:path';
import { ensureHome } from '../../../home.ts';
import { startRelay } from '../../../relay/relay.ts';
import { createLogger } from '../../../telemetry/logger.ts';
import type { Run } from '../../command.ts';
import { serveUntilSignal } from '../../serve-until-signal.ts';
import { count, text } from '../../option-values.ts';

/** Keeps messages for peers until SIGTERM (exit 0) or Ctrl-C (exit 130). */
export const run: Run = async (invocation) => {
  const { options, out, settings } = invocation;
  const port = count(invocation, 'port', { min: 0, max: 65_535 });
  const { home, log, meshId, sources } = await settings();
  const host = text(options['host']);
  const publicUrl = text(options['publicUrl']);
  const logger = createLogger({ level: log });
  return serveUntilSignal(async () => {
    const relay = await startRelay({
      path: join(ensureHome(home).home, 'relay.sqlite'),
      logger: logger.line,
      ...(port === undefined ? {} : { port }),
      ...(host === undefined ? {} : { host }),
      ...(publicUrl === undefined ? {} : { publicUrls: [publicUrl.replace(/\/$/, '')] }),
      // Without a name it serves any mesh.
      ...(sources['mesh_id'] === 'default' ? {} : { meshId }),
    });
    const { url } = relay;
    out.data({ url, pid: process.pid, home }, () => url);
    out.note(`The relay listens; peers take it with --relay ${url}. Ctrl-C ends it.`);
    return relay;
  });
};
