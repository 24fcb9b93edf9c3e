/** Runs the seeds that it is sent, one after the other, and answers each with what came of it. */
import { parentPort } from 'node:worker_threads';
import { runSeed } from './world.ts';
import type { WorldOptions } from './world.ts';

parentPort?.on('message', (options: WorldOptions) => {
  void runSeed(options).then((result) => parentPort?.postMessage(result, []));
});
