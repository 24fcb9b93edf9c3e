import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const page = readFileSync(here('PARITY.md'), 'utf8');
const rows = page.match(/^\| (?!case|---)[^|]+ \| .+ \|$/gmu) ?? [];
const nameOf = (row: string): string => row.split(' | ')[0]?.slice(2) ?? '';
const sources = ['.', '../deep', '../scenarios']
  .flatMap((folder) =>
    globSync('**/*.spec.ts', { cwd: here(folder) }).map((file) => here(`${folder}/${file}`)),
  )
  .map((path) => readFileSync(path, 'utf8'))
  .join('\n');

/** The cases of supervisor_SUITE in Erlang/OTP 27.3. */
const OTP_CASES = `
sup_start_normal sup_start_ignore_init sup_start_ignore_child sup_start_ignore_temporary_child
sup_start_ignore_temporary_child_start_child sup_start_ignore_temporary_child_start_child_simple
sup_start_ignore_permanent_child_start_child_simple sup_start_error_return sup_start_fail
sup_start_child_returns_error sup_start_restart_child_returns_error
sup_start_child_returns_error_simple sup_start_map sup_start_map_simple sup_start_map_faulty_specs
sup_stop_infinity sup_stop_timeout sup_stop_timeout_dynamic sup_stop_brutal_kill
sup_stop_brutal_kill_dynamic sup_stop_race sup_stop_non_shutdown_exit_dynamic child_adm
child_adm_simple extra_return child_specs child_specs_map sup_flags multiple_restarts one_for_one
one_for_one_escalation one_for_all one_for_all_escalation one_for_all_other_child_fails_restart
simple_one_for_one simple_one_for_one_shutdown simple_one_for_one_extra
simple_one_for_one_escalation simple_one_for_one_corruption simple_one_for_one_restart_ignore
rest_for_one rest_for_one_escalation rest_for_one_other_child_fails_restart
external_start_no_progress_log permanent_normal transient_normal temporary_normal
permanent_shutdown transient_shutdown temporary_shutdown faulty_application_shutdown
permanent_abnormal transient_abnormal temporary_abnormal child_unlink tree
nonsignificant_temporary nonsignificant_transient significant_temporary significant_transient
significant_simple significant_bystander significant_escalation significant_upgrade_never_any
significant_upgrade_any_never significant_upgrade_never_all significant_upgrade_all_never
significant_upgrade_any_all significant_upgrade_all_any significant_upgrade_child count_children
count_children_supervisor count_restarting_children get_callback_module
do_not_save_start_parameters_for_temporary_children do_not_save_child_specs_for_temporary_children
simple_one_for_one_scale_many_temporary_children temporary_bystander simple_global_supervisor
hanging_restart_loop hanging_restart_loop_rest_for_one hanging_restart_loop_simple code_change
code_change_map code_change_simple code_change_simple_map order_of_children
scale_start_stop_many_children format_log_1 format_log_2 already_started_outside_supervisor
`;

/** What Elixir and Pekko add. */
const FURTHER_CASES = [
  'DynamicSupervisor: per-child specs, one_for_one',
  'DynamicSupervisor: id ignored',
  'DynamicSupervisor: max_children',
  'DynamicSupervisor: extra_arguments',
  'DynamicSupervisor: start errors, throws and exits',
  'DynamicSupervisor: ignore',
  'DynamicSupervisor: restart with different returns',
  'DynamicSupervisor: trying again, and intensity while retrying',
  'DynamicSupervisor: temporary arguments not kept',
  'DynamicSupervisor: concurrent and mixed shutdowns',
  'DynamicSupervisor: terminate a restarting child',
  'DynamicSupervisor: terminate_child by pid',
  'PartitionSupervisor',
  'Registry: unique keys, automatic removal',
  'Registry: duplicate keys, dispatch, match',
  'Registry: listeners',
  'Task.Supervisor: async, async_nolink',
  'Task.Supervisor: async_stream',
  'Task, Agent, GenServer',
  'resume',
  'restart',
  'restart.withLimit: limit 0',
  'restart.withLimit: reset after the window',
  'restartWithBackoff: growth, max, reset',
  'restartWithBackoff: start failures',
  'stash during restart and backoff',
  'stash full: dropped messages published',
  'unhandled stash retained on failure while unstashing',
  'stop children on failure',
  'failure in first or later setup',
  'keep children: withStopChildren(false)',
  'nested strategies',
  'strategy de-duplicated',
  'fatal errors not caught',
  'recover from death pact',
  'adapter function failures supervised',
  'log level switch after k failures',
  'stopped in setup stays stopped',
  'signals PreRestart and PostStop',
  'watch: Terminated once, ChildFailed with its cause',
  'watch on the dead',
  'unwatch',
  'stash: bounded, order kept',
  'stash: nested, unstash(n)',
  'receptionist',
  'dead letters',
  'mailboxes: bounded',
  'mailboxes: control-aware, priority',
  'mailboxes: blocking',
  'ask',
  'ask with status',
  'timers: cancelled on restart, stale ticks discarded',
  'persistence',
  'reliable delivery',
  'cluster',
  'testkit',
];

const otpCases = OTP_CASES.trim().split(/\s+/u);

describe('PARITY.md', () => {
  it('has every case of supervisor_SUITE, once and in its order', () => {
    expect(otpCases).toHaveLength(91);
    expect(rows.map(nameOf).slice(0, 91)).toEqual(otpCases);
  });

  it('has what Elixir and Pekko add', () => {
    expect(rows.map(nameOf).slice(91)).toEqual(FURTHER_CASES);
  });

  it('names only specs that exist', () => {
    const titles = [...page.matchAll(/`([^`]+)`/gu)].map(([, title]) => title ?? '');
    expect(titles.length).toBeGreaterThan(150);
    expect(
      titles.filter(
        (title) => !sources.includes(`('${title}'`) && !sources.includes(`\n    '${title}',`),
      ),
    ).toEqual([]);
  });

  it('says of a case without a spec why, in a sentence', () => {
    for (const row of rows) expect(row).toMatch(/`[^`]+`|\w.*\. \|$/u);
  });
});
