/** The operations of a tree: each finds its supervisor by path, and answers if there is none. */
import { changeChild, changeFlags } from './change.ts';
import type { ChangeResult, ChangedChild, ChangedFlags } from './change.ts';
import type { AnyChildSpec, TemplateChild } from './child-spec.ts';
import * as operations from './operations.ts';
import type {
  ChildCounts,
  ChildInfo,
  DeleteChildResult,
  RestartChildResult,
  StartChildResult,
  TerminateChildResult,
} from './operations.ts';
import type { Supervisor } from './supervisor.ts';
import type { SupervisorHandle } from './tree.types.ts';

const NO_CHILDREN: ChildCounts = { specs: 0, active: 0, supervisors: 0, workers: 0 };
const NOT_FOUND = { ok: false, reason: 'not_found' } as const;

/** See the head of this file; `Tree` says what each does. */
export abstract class TreeOperations {
  protected abstract supervisorAt(path: string): Supervisor | undefined;

  supervisor(path: string): SupervisorHandle | undefined {
    if (!this.supervisorAt(path)) return undefined;
    return {
      path,
      startChild: (spec) => this.startChild(path, spec),
      terminateChild: (id) => this.terminateChild(path, id),
      restartChild: (id) => this.restartChild(path, id),
      deleteChild: (id) => this.deleteChild(path, id),
      changeFlags: (flags) => this.changeFlags(path, flags),
      changeChild: (id, fields) => this.changeChild(path, id, fields),
      whichChildren: () => this.whichChildren(path),
      countChildren: () => this.countChildren(path),
    };
  }

  async startChild(
    supervisorPath: string,
    spec: AnyChildSpec | TemplateChild,
  ): Promise<StartChildResult> {
    const supervisor = this.supervisorAt(supervisorPath);
    return supervisor ? operations.startChild(supervisor, spec) : NOT_FOUND;
  }

  async terminateChild(supervisorPath: string, id: string): Promise<TerminateChildResult> {
    const supervisor = this.supervisorAt(supervisorPath);
    return supervisor ? operations.terminateChild(supervisor, id) : NOT_FOUND;
  }

  async restartChild(supervisorPath: string, id: string): Promise<RestartChildResult> {
    const supervisor = this.supervisorAt(supervisorPath);
    return supervisor ? operations.restartChild(supervisor, id) : NOT_FOUND;
  }

  async deleteChild(supervisorPath: string, id: string): Promise<DeleteChildResult> {
    const supervisor = this.supervisorAt(supervisorPath);
    return supervisor ? operations.deleteChild(supervisor, id) : NOT_FOUND;
  }

  async changeFlags(supervisorPath: string, flags: ChangedFlags): Promise<ChangeResult> {
    const supervisor = this.supervisorAt(supervisorPath);
    return supervisor ? changeFlags(supervisor, flags) : NOT_FOUND;
  }

  async changeChild(
    supervisorPath: string,
    id: string,
    fields: ChangedChild,
  ): Promise<ChangeResult> {
    const supervisor = this.supervisorAt(supervisorPath);
    return supervisor ? changeChild(supervisor, id, fields) : NOT_FOUND;
  }

  whichChildren(supervisorPath: string): ChildInfo[] {
    const supervisor = this.supervisorAt(supervisorPath);
    return supervisor ? operations.whichChildren(supervisor) : [];
  }

  countChildren(supervisorPath: string): ChildCounts {
    const supervisor = this.supervisorAt(supervisorPath);
    return supervisor ? operations.countChildren(supervisor) : NO_CHILDREN;
  }
}
