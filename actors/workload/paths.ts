/** The paths of the workload's actors: what they are addressed, watched and shown by. */
import type { Slot } from '../../machines/workload/plan.ts';

export const ROOT = 'mesh';
export const AGENTS = `${ROOT}/agents`;
export const ROLLOUTS = `${ROOT}/rollouts`;
export const EDGE = `${ROOT}/edge`;
export const TARGETS = `${EDGE}/targets`;

export const nodePath = (node: string): string => `${AGENTS}/${node}`;
/** Ids of a node's own children start with `@`, which no app name can. */
export const AGENT_ID = '@agent';
export const INSTANCES_ID = '@instances';
export const agentPath = (node: string): string => `${nodePath(node)}/${AGENT_ID}`;

/** App names have no dot, so the first slot has the app's own name, and no other can take it. */
export const pairId = ({ app, ordinal }: Pick<Slot, 'app' | 'ordinal'>): string =>
  ordinal === 0 ? app : `${app}.${ordinal}`;
export const pairPath = (slot: Slot): string => `${nodePath(slot.node)}/${pairId(slot)}`;

export const instancesPath = (node: string): string => `${nodePath(node)}/${INSTANCES_ID}`;
export const instancePath = (node: string, instance: string): string =>
  `${instancesPath(node)}/${instance}`;

export const CERTIFICATES_ID = '@certificates';
export const certificatesPath = (node: string): string => `${nodePath(node)}/${CERTIFICATES_ID}`;
export const certificatePath = (node: string, instance: string): string =>
  `${certificatesPath(node)}/${instance}`;
/** The edge's own certificate, below the edge. */
export const EDGE_CERTIFICATE_ID = 'certificate';
export const EDGE_CERTIFICATE = `${EDGE}/${EDGE_CERTIFICATE_ID}`;

export const rolloutId = (app: string, generation: number): string => `${app}@${generation}`;
