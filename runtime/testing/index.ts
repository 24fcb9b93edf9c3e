/** What the specs of a user's own machines import from `mycelium-mesh/testing`. */
export { modelTests } from './model-tests.ts';
export type { ModelTest, ModelTestOptions, ModelTests, SystemUnderTest } from './model-tests.ts';
export { testMachine } from './test-machine.ts';
export type { MachineFailure, MachineTest } from './test-machine.ts';
export type { ThrownStep } from './watched.ts';
export { edgePaths, exploreMachine, stateName } from './model-paths.ts';
export type { EdgePath, Model, ModelOptions } from './model-paths.ts';
