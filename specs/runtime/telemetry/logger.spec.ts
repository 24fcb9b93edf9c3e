import { describe, expect, it } from 'vitest';
import { controlError } from '../../../runtime/control/errors.ts';
import { createLogger } from '../../../runtime/telemetry/logger.ts';
import type { LogLevel } from '../../../runtime/telemetry/logger.ts';

function written(level?: LogLevel) {
  const lines: Record<string, unknown>[] = [];
  const destination = {
    write: (line: string) => lines.push(JSON.parse(line) as Record<string, unknown>),
  };
  const logger = createLogger({ destination, ...(level === undefined ? {} : { level }) });
  return { logger, lines };
}

describe('createLogger', () => {
  it('writes one JSON object a line, with a level and a time', () => {
    const { logger, lines } = written();
    logger.line({ level: 'info', message: 'The edge listens.', details: { port: 8080 } });
    expect(lines).toMatchObject([
      { level: 'info', message: 'The edge listens.', details: { port: 8080 } },
    ]);
    expect(lines[0]?.['time']).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  });

  it('never writes a secret', () => {
    const { logger, lines } = written();
    const details = { token: 'abc', key: { secretKey: 'def' }, app: 'hello' };
    logger.line({ level: 'warn', message: 'Look.', details });
    expect(lines[0]?.['details']).toEqual({
      token: '[secret]',
      key: { secretKey: '[secret]' },
      app: 'hello',
    });
  });

  it('writes an error with its code, and where it was thrown', () => {
    const { logger, lines } = written();
    logger.defect(controlError('MESH_ERR_CONTROL_INTERNAL', 'It broke.'));
    logger.line({ level: 'error', message: 'Odd.', details: new Error('plain') });
    expect(lines).toMatchObject([
      { level: 'error', details: { code: 'MESH_ERR_CONTROL_INTERNAL', message: 'It broke.' } },
      { level: 'error', details: { message: 'plain' } },
    ]);
    expect(JSON.stringify(lines[0])).toContain('logger.spec.ts');
  });

  it('leaves out what is below its level', () => {
    const { logger, lines } = written('warn');
    logger.line({ level: 'info', message: 'Quiet.' });
    logger.line({ level: 'warn', message: 'Loud.' });
    expect(lines.map(({ message }) => message)).toEqual(['Loud.']);
  });

  it('takes crashes of actors for warnings and escalations for errors', () => {
    const { logger, lines } = written('debug');
    const at = { atMs: 0, path: 'mesh/edge', incarnation: 1 };
    const cause = { code: 'X', message: 'x', hint: '' };
    logger.report({ ...at, type: 'start' });
    logger.report({
      ...at,
      type: 'crash',
      willRestart: true,
      reason: { type: 'error', cause },
    });
    logger.report({ ...at, type: 'escalation', to: undefined, cause });
    expect(lines.map(({ level, message }) => [level, message])).toEqual([
      ['debug', 'supervisor: start mesh/edge'],
      ['warn', 'supervisor: crash mesh/edge'],
      ['error', 'supervisor: escalation mesh/edge'],
    ]);
  });
});
