/** Every error code that this program can show, from the tables of its domains. */
import type { ErrorRow, ErrorTable } from '../../machines/kernel/coded-error.ts';
import { ATTEST_ERRORS } from '../../machines/coordinator/attest-errors.ts';
import { COORDINATOR_ERRORS } from '../../machines/coordinator/errors.ts';
import { HISTORY_ERRORS } from '../../machines/coordinator/history-errors.ts';
import { ENVELOPE_ERRORS } from '../../machines/gossip/envelope-errors.ts';
import { RELAY_ERRORS } from '../../machines/gossip/relay-errors.ts';
import { GOSSIP_STORE_ERRORS } from '../../machines/gossip/store-errors.ts';
import { GOSSIP_ERRORS } from '../../machines/gossip/gossip-errors.ts';
import { KERNEL_ERRORS } from '../../machines/kernel/errors.ts';
import { POOL_ERRORS } from '../../machines/pool/errors.ts';
import { CERTIFICATE_ERRORS } from '../../machines/workload/certificate-errors.ts';
import { WORKLOAD_ERRORS } from '../../machines/workload/errors.ts';
import { FABRIC_ERRORS } from '../../machines/workload/fabric-errors.ts';
import { PROCESS_ERRORS } from '../../machines/workload/process-errors.ts';
import { SPORE_ERRORS } from '../../machines/workload/spore-errors.ts';
import { JOURNAL_ERRORS } from '../../supervisor/durable/errors.ts';
import { SUPERVISOR_ERRORS } from '../../supervisor/errors.ts';
import { TRANSPORT_ERRORS } from '../attested-tls/errors.ts';
import { CHART_ERRORS } from '../charts/errors.ts';
import { CONTROL_ERRORS } from '../control/errors.ts';
import { EDGE_ERRORS } from '../edge/errors.ts';
import { PEER_ERRORS } from '../gossip/errors.ts';
import { RPC_ERRORS } from '../rpc/errors.ts';
import { INSPECT_ERRORS } from '../web/errors.ts';
import { CLI_ERRORS } from './errors.ts';

/** The tables, by the area that owns them. */
export const ERROR_TABLES: Readonly<Record<string, ErrorTable>> = {
  kernel: KERNEL_ERRORS,
  supervisor: SUPERVISOR_ERRORS,
  journal: JOURNAL_ERRORS,
  pool: POOL_ERRORS,
  spore: SPORE_ERRORS,
  fabric: FABRIC_ERRORS,
  workload: WORKLOAD_ERRORS,
  process: PROCESS_ERRORS,
  certificate: CERTIFICATE_ERRORS,
  edge: EDGE_ERRORS,
  control: CONTROL_ERRORS,
  chart: CHART_ERRORS,
  inspect: INSPECT_ERRORS,
  coordinator: COORDINATOR_ERRORS,
  history: HISTORY_ERRORS,
  attest: ATTEST_ERRORS,
  transport: TRANSPORT_ERRORS,
  rpc: RPC_ERRORS,
  envelope: ENVELOPE_ERRORS,
  gossip: GOSSIP_ERRORS,
  gossipStore: GOSSIP_STORE_ERRORS,
  relay: RELAY_ERRORS,
  peer: PEER_ERRORS,
  cli: CLI_ERRORS,
};

/** All rows by code. */
export const ERROR_CATALOG: ReadonlyMap<string, ErrorRow> = new Map(
  Object.values(ERROR_TABLES).flatMap((table) => Object.entries(table)),
);
