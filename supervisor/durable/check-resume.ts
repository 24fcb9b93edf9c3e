/** Refuses a `resume` that cannot be meant, before anything is started. */
import type { ChildSpec } from '../child-spec.ts';
import { invalidSpec } from '../invalid-spec.ts';
import type { ResumeOptions } from './resume-options.ts';

/** Checks how the child at `path` continues; throws `MESH_ERR_SUPERVISOR_SPEC_INVALID`. */
export function checkResume(path: string, { resume, placement }: ChildSpec): void {
  if (resume === undefined || resume === 'fresh' || resume === 'snapshot') return;
  const found: unknown = resume;
  const isOptions = typeof found === 'object' && found !== null && resume.from === 'snapshot';
  if (!isOptions) throw invalidSpec(path, 'resume', found, 'fresh, snapshot, or its options');
  const { durability, version, migrate, beginAnew, failuresMax } = resume;
  checkDurability(path, durability, placement === 'thread');
  if (version !== undefined && typeof version !== 'string')
    throw invalidSpec(path, 'resume.version', version, 'a string');
  if (migrate !== undefined && typeof migrate !== 'function')
    throw invalidSpec(path, 'resume.migrate', migrate, 'a function');
  if (beginAnew !== undefined && typeof beginAnew !== 'function')
    throw invalidSpec(path, 'resume.beginAnew', beginAnew, 'a function');
  if (failuresMax !== undefined && !(Number.isInteger(failuresMax) && failuresMax > 0))
    throw invalidSpec(path, 'resume.failuresMax', failuresMax, 'an integer > 0');
}

function checkDurability(
  path: string,
  durability: ResumeOptions['durability'],
  isInThread: boolean,
): void {
  if (durability === undefined) return;
  if (durability === 'every-transition') {
    if (!isInThread) return;
    throw invalidSpec(
      path,
      'resume.durability',
      durability,
      'everyMs and everyEvents for a child in a thread, whose effects cannot be held',
    );
  }
  const { everyMs, everyEvents } = durability as { everyMs: unknown; everyEvents: unknown };
  if (!(typeof everyMs === 'number' && everyMs >= 0 && Number.isFinite(everyMs)))
    throw invalidSpec(path, 'resume.durability.everyMs', everyMs, 'milliseconds ≥ 0');
  if (!(typeof everyEvents === 'number' && everyEvents >= 1))
    throw invalidSpec(path, 'resume.durability.everyEvents', everyEvents, 'a number ≥ 1');
}
