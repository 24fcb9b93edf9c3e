import { createFakeWorld, createRealWorld } from '../support/processes-worlds.ts';
import { processesSuite } from './processes.suite.ts';

processesSuite('execa', createRealWorld);
processesSuite('fake', createFakeWorld);
