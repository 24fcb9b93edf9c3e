import { isHelpOpen } from '../store.ts';
import { Dialog } from './dialog.tsx';

const KEYS: readonly (readonly [readonly string[], string])[] = [
  [['↓', '↑', 'j', 'k'], 'the next actor or machine, the one before'],
  [['→', 'l'], 'open, or go inside'],
  [['←', 'h'], 'close, or go to the parent'],
  [['p'], 'pin the actor to the sequence diagram, up to three'],
  [['[', ']'], 'one step back in time, one forward'],
  [['/'], 'filter'],
  [['space'], 'hold the view as it is; again to go on'],
  [['+', '−', '0'], 'chart larger, smaller, fitting'],
  [['1', '…', '6'], 'Actors, Machines, Workloads, Mesh, Messages, Events'],
  [['?'], 'these keys'],
];

const WORDS: readonly (readonly [string, string])[] = [
  ['state:failing', 'the state has it'],
  ['kind:instance', 'supervisor, worker, own, or the machine; in the log also crash, restart …'],
  ['status:crashed', 'running, stopped, crashed'],
  ['restarts>0', 'also events; >, >=, <, <=, ='],
  ['-health', 'not so'],
  ['hello', 'the path or the text has it'],
];

/** All keys, and all words of the filter. */
export const KeyHelp = () => (
  <Dialog name="Keys" onClose={() => (isHelpOpen.value = false)}>
    <dl class="keys">
      {KEYS.map(([keys, what]) => (
        <div key={what}>
          <dt>
            {keys.map((key) => (
              <kbd key={key}>{key}</kbd>
            ))}
          </dt>
          <dd>{what}</dd>
        </div>
      ))}
    </dl>
    <h3>Words of a filter</h3>
    <dl class="keys">
      {WORDS.map(([word, what]) => (
        <div key={word}>
          <dt>
            <code>{word}</code>
          </dt>
          <dd>{what}</dd>
        </div>
      ))}
    </dl>
    <form method="dialog" class="choices">
      <button type="submit">Close</button>
    </form>
  </Dialog>
);
