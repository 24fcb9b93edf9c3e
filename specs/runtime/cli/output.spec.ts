import { describe, expect, it } from 'vitest';
import { CodedError } from '../../../machines/kernel/coded-error.ts';
import { asCoded } from '../../../runtime/cli/output.ts';

describe('asCoded', () => {
  it('takes an error without a code of ours for a defect', () => {
    expect(asCoded(new TypeError('x is not a function'))).toMatchObject({
      code: 'MESH_ERR_CLI_DEFECT',
      message: 'The command failed: x is not a function',
    });
    expect(asCoded(Object.assign(new Error('odd'), { code: 'ENOENT' })).code).toBe(
      'MESH_ERR_CLI_DEFECT',
    );
    expect(asCoded('thrown text').message).toBe('The command failed: thrown text');
  });

  it('leaves an error with one as it is', () => {
    const error = CodedError.fromJSON({ code: 'MESH_ERR_CLI_USAGE', message: 'No.', hint: 'Yes.' });
    expect(asCoded(error)).toBe(error);
    expect(asCoded(error.toJSON())).toMatchObject({ code: 'MESH_ERR_CLI_USAGE', message: 'No.' });
  });
});

describe('CodedError', () => {
  it('has a code for what lost its own on the way', () => {
    expect(CodedError.fromJSON({ message: 'Half of it.' }).code).toBe('MESH_ERR_KERNEL_UNKNOWN');
    expect(CodedError.fromJSON(null).message).toBe('An error without a message.');
  });
});
