import { createRequire } from 'node:module';
import type forge from 'node-forge';

const require = createRequire(import.meta.url);
let loaded: typeof forge | undefined;

/**
 * node-forge, loaded at the first certificate that is made or taken apart: it costs as much time as a
 * whole short command, and most programs never see a certificate.
 */
export const forgeLibrary = (): typeof forge => (loaded ??= require('node-forge') as typeof forge);
