import { useState } from 'preact/hooks';
import { send } from '../live.ts';
import type { Json } from '../wire.types.ts';
import { Dialog } from './dialog.tsx';
import { Icon } from './icon.tsx';

interface SendDialogProps {
  readonly path: string;
  readonly event: string;
  /** The guard that is false for an event without data. */
  readonly guard: string | undefined;
  readonly onClose: () => void;
}

/** The fields of the event, or why it has none. */
function fieldsOf(text: string): { readonly [key: string]: Json } | string {
  try {
    const value = JSON.parse(text === '' ? '{}' : text) as Json;
    if (value !== null && typeof value === 'object' && !Array.isArray(value))
      return value as { readonly [key: string]: Json };
    return 'The data of an event is a JSON object.';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** One event for one actor: its data can be written, and it is sent by a second decision only. */
export function SendDialog({ path, event, guard, onClose }: SendDialogProps) {
  const [text, setText] = useState('{}');
  const fields = fieldsOf(text.trim());
  const isWrong = typeof fields === 'string';
  return (
    <Dialog name={`Send ${event}`} onClose={onClose}>
      <p>
        to <code>{path}</code>. It is handled like any other event, and written to the audit log.
      </p>
      {guard !== undefined && (
        <p class="warned">
          <Icon name="warning" /> <code>{guard}</code> is false for it without data.
        </p>
      )}
      <form
        method="dialog"
        onSubmit={() => {
          if (!isWrong) send(path, { ...fields, type: event });
        }}
      >
        <label for="payload">Data, as a JSON object</label>
        <textarea
          id="payload"
          rows={6}
          spellcheck={false}
          value={text}
          aria-invalid={isWrong}
          aria-describedby="payload-fault"
          onInput={({ currentTarget }) => setText(currentTarget.value)}
        />
        <p id="payload-fault" class="fault" role="status">
          {isWrong ? fields : ''}
        </p>
        <div class="choices">
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class="primary" disabled={isWrong}>
            <Icon name="send" />
            Send {event}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
