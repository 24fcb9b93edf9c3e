import type { Run } from '../command.ts';
import { cliError } from '../errors.ts';
import { checkAll } from '../health-checks.ts';
import type { Finding } from '../health-checks.ts';
import { paint } from '../output.ts';

const MARKS: Readonly<Record<Finding['verdict'], readonly ['green' | 'yellow' | 'red', string]>> = {
  ok: ['green', 'ok  '],
  notice: ['yellow', 'note'],
  failed: ['red', 'FAIL'],
};

/** Says what was found, and what to do about it; fails if anything keeps a mesh from working. */
export const run: Run = async (invocation) => {
  const { out } = invocation;
  const findings = await checkAll(await invocation.settings());
  const failed = findings.filter(({ verdict }) => verdict === 'failed');
  if (failed.length === 0 || !out.json)
    out.data(findings, () =>
      findings
        .map(({ verdict, check, found, advice }) => {
          const [colour, mark] = MARKS[verdict];
          const line = `${paint(process.stdout, colour, mark)}  ${check}: ${found}`;
          return advice === null ? line : `${line}\n      ${advice}`;
        })
        .join('\n'),
    );
  if (failed.length > 0)
    throw cliError(
      'MESH_ERR_CLI_UNHEALTHY',
      `Not in order: ${failed.map(({ check }) => check).join(', ')}.`,
      { details: { findings } },
    );
};
