/** Erlang/OTP: compiles its modules into a folder of their own and runs one figure per process. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { programOnPath } from '../harness.ts';

const run = promisify(execFile);
const MODULES = ['otp_lamp.erl', 'otp_root.erl'];
/** Ten times what the slowest figure takes on two cores. */
const FIGURE_TIMEOUT_MS = 120_000;

/** A compiled OTP contender. */
export interface Otp {
  figure(figure: string, size: number): Promise<number>;
}

/** Compiles into `folder`; undefined where Erlang is not installed. */
export async function compileOtp(folder: string): Promise<Otp | undefined> {
  const [erl, erlc] = [programOnPath('erl'), programOnPath('erlc')];
  if (erl === undefined || erlc === undefined) return undefined;
  await run(erlc, ['-o', folder, ...MODULES.map((file) => `${import.meta.dirname}/${file}`)]);
  return {
    figure: async (figure, size) => {
      // A million processes may live at once; the default bound is a quarter of that.
      const flags = ['+P', '1000000', '-noshell', '-pa', folder];
      const evaluated = ['-eval', `otp_root:main([${figure}, '${size}']).`];
      const { stdout } = await run(erl, [...flags, ...evaluated], { timeout: FIGURE_TIMEOUT_MS });
      return Number(stdout);
    },
  };
}
