import { fabricError } from '../../machines/workload/fabric-errors.ts';
import { inFile, inMemory } from '../support/fabric-world.ts';
import { faulty } from '../support/faulty.ts';
import { fabricSuite } from './fabric.suite.ts';

fabricSuite('fabric in a file', inFile);
fabricSuite('fabric in memory', () => inMemory());
fabricSuite('fabric behind a wrapper without faults', () => {
  const world = inMemory();
  const error = (method: string) => fabricError('MESH_ERR_FABRIC_UNAVAILABLE', method);
  const { port } = faulty(world.fabric, { seed: 1, methods: { '*': {} }, error });
  return { ...world, fabric: port };
});
