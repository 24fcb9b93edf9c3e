import { inFiles, inMemory, inSqlite } from '../support/coordinator/history-worlds.ts';
import { historySuite } from './history.suite.ts';

historySuite('history in memory', inMemory);
historySuite('history in SQLite', inSqlite);
historySuite('history in files', inFiles);
