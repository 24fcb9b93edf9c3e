import { optionsOf, readCoordinatorConfig } from '../../../coordinator/coordinator-config.ts';
import { startCoordinator } from '../../../coordinator/start-coordinator.ts';
import type { Coordinator } from '../../../coordinator/start-coordinator.ts';
import { createLogger } from '../../../telemetry/logger.ts';
import type { Invocation, Run } from '../../command.ts';
import { folderOf, parseAddress } from '../../coordinator/target.ts';
import { cliError } from '../../errors.ts';
import { EXIT } from '../../exit-code.ts';
import type { ExitCode } from '../../exit-code.ts';
import { count, text } from '../../option-values.ts';
import type { Output } from '../../output.ts';
import { onSignals } from '../../signals.ts';

/** Longest wait before a round of asking peers, in milliseconds. */
const WAIT_MS_MAX = 600_000;

/** Serves until SIGTERM (exit 0) or Ctrl-C (exit 130). */
export const run: Run = async (invocation) => {
  const folder = folderOf(invocation);
  const options = { ...optionsOf(folder, readCoordinatorConfig(folder)), ...saidIn(invocation) };
  const logger = createLogger({ level: (await invocation.settings()).log });
  const signals = onSignals();
  try {
    await using coordinator = await startCoordinator({ ...options, logger: logger.line });
    coordinator.tree.onReport(logger.report);
    return await serve(coordinator, invocation.out, signals, folder);
  } finally {
    signals.release();
  }
};

function saidIn(invocation: Invocation) {
  const listen = text(invocation.options['listen']);
  const waitMs = count(invocation, 'recoveryWaitMs', { min: 10, max: WAIT_MS_MAX });
  return {
    ...(listen !== undefined && parseAddress('listen', listen)),
    ...(waitMs !== undefined && { recoveryWaitMs: waitMs }),
  };
}

async function serve(
  coordinator: Coordinator,
  out: Output,
  { first }: ReturnType<typeof onSignals>,
  folder: string,
): Promise<ExitCode> {
  const { name, host, port } = coordinator;
  const view = await coordinator.view();
  if (out.json) out.data(view, () => '');
  out.note(`Coordinator ${name} listens on https://${host}:${String(port)}, state in ${folder}.`);
  if (!out.json) out.note(`Its node key: ${coordinator.nodeKey}`);
  let said = '';
  const tell = async (): Promise<void> => {
    const { state, reason, generation } = await coordinator.view();
    const text = `${state}: ${reason ?? `generation ${String(generation)}`}`;
    if (text !== said) out.note(text);
    said = text;
  };
  const stop = coordinator.onStatus(() => void tell());
  await tell();
  const ended = await Promise.race([
    first.then((signal) => ({ signal })),
    coordinator.ended.then((reason) => ({ reason })),
  ]);
  stop();
  if ('reason' in ended)
    throw cliError(
      'MESH_ERR_CLI_MESH_ENDED',
      `The Coordinator in ${folder} ended by itself: ${JSON.stringify(ended.reason)}.`,
    );
  out.note(`${ended.signal}: calls in flight end, then the Coordinator does.`);
  return ended.signal === 'SIGINT' ? EXIT.interrupted : EXIT.ok;
}
