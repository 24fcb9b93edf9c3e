import { errorsOf } from '../kernel/coded-error.ts';

/** Every way in which the control plane refuses, one row per code. */
export const FABRIC_ERRORS = {
  MESH_ERR_FABRIC_UNAVAILABLE: {
    retryable: true,
    hint: 'Check that the state folder exists, is writable and has room, then try again.',
    explain:
      'The store of the control plane could not be opened, read or written: it was closed, its ' +
      'folder is missing or read-only, the disk is full, or another process held the write lock ' +
      'for longer than two seconds. Nothing of the refused call was kept.',
  },
  MESH_ERR_FABRIC_INVALID: {
    hint: 'Correct the field that the message names.',
    explain:
      'An argument of a call to the control plane is malformed: a name that is no DNS label, a ' +
      'digest that is no SHA-256, a number out of range, a missing or an unknown field. Nothing ' +
      'was changed.',
  },
  MESH_ERR_FABRIC_NAME_MISMATCH: {
    hint: 'Run it under its own name, or allow another one with `--any-name`.',
    explain:
      "The name in the spore's manifest is not the name of the app that it is to become. That is " +
      'mostly a mistyped name or the digest of another service. One spore can be several apps, ' +
      'say staging and production, when that is asked for. The plan was not published.',
  },
  MESH_ERR_FABRIC_BUDGET_EXCEEDED: {
    hint: "Raise the app's budget, or ask for fewer or smaller instances.",
    explain:
      "A plan wants at least `min` instances, and the app's budget does not hold that many: " +
      '`maxInstances` is lower, or `cpuMilli` or `memoryMb` divided by the nutrients of one ' +
      'instance is. The details name the field and how many instances it allows. The plan was not ' +
      'published.',
  },
  MESH_ERR_FABRIC_CAPACITY_EXCEEDED: {
    hint: 'Start another agent, or ask for fewer or smaller instances.',
    explain:
      'A plan wants at least `min` instances, and the living nodes have no room for them beside ' +
      'the instances of other apps; `nodes` means that no node is known. The details name the ' +
      'scarce resource and how many instances fit. The plan was not published.',
  },
  MESH_ERR_FABRIC_UNKNOWN_APP: {
    hint: 'List the known apps with `mesh ps`, and publish a plan first.',
    explain: 'The app has no plan: it was never run here, or it was removed.',
  },
  MESH_ERR_FABRIC_UNKNOWN_NODE: {
    hint: 'Register the node again, and then its endpoints.',
    explain:
      'A heartbeat came from a node that is not registered. Its lease ended, for example while ' +
      'the machine slept, and its slots were placed elsewhere; the agent must register anew.',
  },
  MESH_ERR_FABRIC_UNKNOWN_INSTANCE: {
    hint: 'Leave the traffic where it is; the instance has ended.',
    explain:
      'An endpoint was offered for an instance that is not recorded: its process ended between ' +
      'its last probe and the switch. No endpoint was changed.',
  },
  MESH_ERR_FABRIC_APP_RUNNING: {
    retryable: true,
    hint: 'Stop the app, and wait until its instances are gone.',
    explain:
      'An app is forgotten only when no instance of it is recorded; otherwise processes would be ' +
      'left that nobody answers for.',
  },
  MESH_ERR_FABRIC_NO_ROLLBACK: {
    hint: 'Look at `mesh history`, and name a generation that is listed there.',
    explain:
      'There is nothing to roll back to: the history of the app has no succeeded deployment with ' +
      'another digest, or not the generation that was asked for.',
  },
  MESH_ERR_FABRIC_FULL: {
    hint: 'Remove what is no longer used.',
    explain:
      'A table of the control plane has reached its bound (1,000 apps, 1,000 nodes, 10,000 slots, ' +
      '20,000 instances or endpoints, 10,000 watches). The bounds keep one runaway caller from ' +
      'exhausting the runtime.',
  },
  MESH_ERR_FABRIC_CORRUPT: {
    hint: 'Restore a backup over the original path, or start again with an empty state.',
    explain:
      'The file of the control plane is not a sound SQLite database. When this is found on ' +
      'opening, the file is renamed and kept beside the original path (see the details); it is ' +
      'never deleted. The next start begins with an empty state; processes of the lost state are ' +
      'strays to it.',
  },
  MESH_ERR_FABRIC_SCHEMA_NEWER: {
    hint: 'Run the newer version of mesh again, or name another state folder.',
    explain:
      'The file of the control plane was written by a newer version, whose records this one would ' +
      'misread. It was left untouched.',
  },
} as const;

export type FabricErrorCode = keyof typeof FABRIC_ERRORS;

/** Makes an error of the control plane. */
export const fabricError = errorsOf(FABRIC_ERRORS);
