import { ERROR_CATALOG } from '../error-catalog.ts';
import type { Run } from '../command.ts';
import { cliError } from '../errors.ts';
import { nearest } from '../did-you-mean.ts';
import { exitCodeOf } from '../exit-code.ts';

const LINE_COLUMNS = 80;

export const run: Run = async ({ args, out }) => {
  const code = args['code']?.toUpperCase();
  if (code === undefined) {
    const codes = [...ERROR_CATALOG.keys()].sort();
    out.data(codes, () => codes.join('\n'));
    return;
  }
  const row = ERROR_CATALOG.get(code);
  if (row === undefined) {
    const near = nearest(code, [...ERROR_CATALOG.keys()]);
    throw cliError(
      'MESH_ERR_CLI_UNKNOWN_CODE',
      `No error has the code ${code}.${near === undefined ? '' : ` Did you mean ${near}?`}`,
    );
  }
  const { hint, explain } = row;
  const isRetryable = row.retryable === true;
  const exitCode = exitCodeOf({ code });
  out.data({ code, hint, explain, retryable: isRetryable, exitCode }, () =>
    [
      code,
      '',
      wrap(explain),
      '',
      wrap(`What to do: ${hint}`),
      wrap(isRetryable ? 'Trying again may help.' : 'Trying again does not help by itself.'),
      `Exit code: ${String(exitCode)}`,
    ].join('\n'),
  );
};

function wrap(text: string): string {
  const lines: string[] = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? '';
    if (line !== '' && line.length + word.length >= LINE_COLUMNS) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines.join('\n');
}
