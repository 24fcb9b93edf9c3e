/** A machine's reachable graph: what users of the package have as `mycelium-mesh/testing`. */
export * from '../../../runtime/testing/model-paths.ts';
