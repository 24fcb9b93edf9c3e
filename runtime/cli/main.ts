#!/usr/bin/env node
/** The command `mesh`. */
import { enableCompileCache } from 'node:module';

enableCompileCache();
const { runCli } = await import('./run.ts');
process.exitCode = await runCli(process.argv.slice(2));
