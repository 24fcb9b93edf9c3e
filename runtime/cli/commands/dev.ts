import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { homePaths } from '../../home.ts';
import type { Mesh } from '../../mesh.ts';
import { createLogger } from '../../telemetry/logger.ts';
import type { CoordinatorView } from '../../coordinator/coordinator-view.ts';
import type { Invocation, Run } from '../command.ts';
import {
  coordinatorText,
  devCoordinator,
  prepareDevCoordinator,
} from '../coordinator/dev-coordinator.ts';
import { deployDemo, prepareDemo } from '../demo.ts';
import type { Demo } from '../demo.ts';
import type { ExitCode } from '../exit-code.ts';
import { freePort } from '../free-port.ts';
import { devPeer } from '../gossip/node-peer.ts';
import { count } from '../option-values.ts';
import { paint } from '../output.ts';
import { serve } from '../serve.ts';

/** The first run: a whole mesh here with a sample service on it, until Ctrl-C. */
export const run: Run = async (invocation) => {
  const settings = await invocation.settings();
  if (invocation.options['ephemeral'] !== true) return runIn(invocation, settings.home);
  const home = mkdtempSync(join(tmpdir(), 'mesh-'));
  try {
    return await runIn(invocation, home);
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
};

async function runIn(invocation: Invocation, home: string): Promise<ExitCode> {
  const { out } = invocation;
  const settings = await invocation.settings();
  const { nodes, onRuntimeDeath, nodeCapacity, adminPort } = settings;
  const feedPort = count(invocation, 'feedPort', { min: 0, max: 65_535 });
  // Lines of the log belong into a log: this command is for looking on.
  const logger = createLogger({
    level: settings.sources['log'] === 'default' ? 'warn' : settings.log,
  });
  const port = await freePort(settings.port);
  if (port !== settings.port)
    out.note(`Port ${String(settings.port)} is taken; the edge takes ${String(port)}.`);
  const inspectPort = count(invocation, 'inspectPort', { min: 0, max: 65_535 });
  const allowSend = invocation.options['allowSend'] === true;
  const [demo] = await Promise.all([prepareDemo(home, out), prepareDevCoordinator(home)]);
  const workloads = demo.digests.map((digest) => ({ digest, app: 'hello' }));
  const ownCoordinator = await devCoordinator(home, workloads);
  const of = { home, port, nodes, onRuntimeDeath, nodeCapacity, allowSend, logger: logger.line };
  return serve({
    mesh: { ...of, ownCoordinator, peer: await devPeer(settings) },
    adminPort,
    logger,
    onServing: async (mesh, signal, adminUrl) => {
      await deployDemo(mesh, demo, out, signal);
      const { url: inspectUrl } = await mesh.inspect({
        allowSend,
        ...(inspectPort === undefined ? {} : { port: inspectPort }),
      });
      const coordinator = await mesh.coordinator();
      const feed = await mesh.peer?.feed(feedPort === undefined ? {} : { port: feedPort });
      const feedUrl = feed?.url ?? null;
      const all = { ...urls(mesh, adminUrl), inspectUrl, feedUrl, coordinator };
      if (out.json) out.data({ ...(await mesh.info()), ...all, demo }, () => '');
      out.note(banner(invocation, home, demo, all));
    },
    onStopping: () => {
      out.note('Stopping: the instances drain and end. Ctrl-C again ends them at once.');
    },
  });
}

interface Urls {
  readonly appUrl: string;
  readonly adminUrl: string | null;
  /** Works once. */
  readonly inspectUrl: string;
  /** Works once. */
  readonly feedUrl: string | null;
  readonly coordinator: CoordinatorView | undefined;
}

const urls = (mesh: Mesh, adminUrl: string | null): Pick<Urls, 'appUrl' | 'adminUrl'> => ({
  appUrl: `${mesh.edgeUrl}/hello/`,
  adminUrl,
});

function banner(
  { options }: Invocation,
  home: string,
  demo: Demo,
  { appUrl, adminUrl, inspectUrl, feedUrl, coordinator }: Urls,
): string {
  const strong = (text: string): string => paint(process.stderr, 'bold', text);
  const command = process.env['npm_lifecycle_event'] === undefined ? 'mesh' : 'npm run -s mesh --';
  const isElsewhere = options['ephemeral'] === true || options['home'] !== undefined;
  const mesh$ = isElsewhere ? `${command} --home ${home}` : command;
  const rows: readonly (readonly [string, string])[] = [
    ['app', strong(appUrl)],
    ['inspect', strong(inspectUrl)],
    ...(feedUrl === null ? [] : [['feed', strong(feedUrl)] as const]),
    ...(adminUrl === null ? [] : [['metrics', `${adminUrl}/metrics`] as const]),
    ['control', homePaths(home).socket],
    ['coordinator', coordinatorText(coordinator)],
    ['next', `curl -s ${appUrl}`],
    ['', `${mesh$} ps`],
    ['', `${mesh$} status hello`],
    ['', `${mesh$} run hello ${demo.digests[0]}   (back to 1.0.0)`],
    ['', `${mesh$} tree`],
    ['', `${mesh$} msg post "hello, mesh"`],
    ['end', 'Ctrl-C'],
  ];
  const lines = rows.map(([name, value]) => `  ${name.padEnd(11)} ${value}`);
  return ['', strong('The mesh is up: hello 2.0.0 serves.'), ...lines, ''].join('\n');
}
