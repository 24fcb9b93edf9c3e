import { useRef, useState } from 'preact/hooks';
import { openRecording } from '../ask.ts';
import { go } from '../store.ts';
import { Icon } from './icon.tsx';

/** A recording of the reader's disk, looked at as if it were live. */
export function OpenRecording() {
  const field = useRef<HTMLInputElement>(null);
  const [isBusy, setBusy] = useState(false);
  const open = async (file: File | undefined): Promise<void> => {
    if (!file) return;
    setBusy(true);
    const id = await openRecording(file);
    setBusy(false);
    if (id !== undefined) go({ recording: id, at: null, subject: null, filter: '' });
  };
  return (
    <>
      <input
        ref={field}
        type="file"
        accept=".jsonl,.ndjson"
        hidden
        aria-label="A recording"
        onChange={({ currentTarget }) => {
          void open(currentTarget.files?.[0]);
          currentTarget.value = '';
        }}
      />
      <button
        type="button"
        disabled={isBusy}
        title="One that `mesh inspect record` wrote"
        onClick={() => field.current?.click()}
      >
        <Icon name="open" />
        {isBusy ? 'Opening…' : 'Open recording'}
      </button>
    </>
  );
}
