/**
 * Lays out one graph and ends. The engine is a compiled program that blocks its thread and, with
 * some graphs, never comes back; so it gets a thread that can be ended.
 */
import { parentPort, workerData } from 'node:worker_threads';
import elk from 'elkjs/lib/elk.bundled.js';
import type { ElkNode } from 'elkjs/lib/elk-api.js';

const engine = new elk.default();
parentPort?.postMessage(await engine.layout(workerData as ElkNode), []);
