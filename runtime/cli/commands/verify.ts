import { createTrustStore } from '../../adapters/trust.fs.ts';
import { isDigest } from '../../../machines/kernel/ids.ts';
import type { Digest } from '../../../machines/kernel/ids.ts';
import { homePaths } from '../../home.ts';
import { verifySpore } from '../../spore/index.ts';
import type { Run } from '../command.ts';
import { cliError } from '../errors.ts';
import { text } from '../option-values.ts';
import { paint } from '../output.ts';
import { createByteProgress } from '../progress.ts';
import { withPool } from '../worker-pool.ts';

/** Prints the five checks, and fails with MESH_ERR_CLI_VERIFICATION_FAILED unless all hold. */
export const run: Run = async ({ args, options, home, out }) => {
  const file = args['file'] ?? '';
  const app = text(options['app']);
  const expectedDigest = digestOf(text(options['digest']));
  const trust = createTrustStore(homePaths(home).trust);
  const { onProgress, end } = createByteProgress(out, `Verifying ${file}`);
  const report = await withPool((pool) =>
    verifySpore(pool, file, {
      trust,
      onProgress,
      ...(app === undefined ? {} : { app }),
      ...(expectedDigest === undefined ? {} : { expectedDigest }),
    }),
  ).finally(end);
  if (report.ok || !out.json)
    out.data(report, () =>
      report.checks
        .map(({ name, ok, code, message }) =>
          ok
            ? `${paint(process.stdout, 'green', 'ok  ')}  ${name}`
            : `${paint(process.stdout, 'red', 'FAIL')}  ${name}: ${message ?? ''} (${code ?? ''})`,
        )
        .join('\n'),
    );
  if (report.ok) return;
  const failed = report.checks.filter(({ ok }) => !ok).map(({ name }) => name);
  throw cliError(
    'MESH_ERR_CLI_VERIFICATION_FAILED',
    `Verifying ${file}: ${failed.join(', ')} failed.`,
    { details: { report } },
  );
};

function digestOf(said: string | undefined): Digest | undefined {
  if (said === undefined || isDigest(said)) return said;
  throw cliError('MESH_ERR_CLI_USAGE', `--digest takes 64 lower-case hex digits, not "${said}".`);
}
