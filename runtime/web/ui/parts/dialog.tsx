import { useEffect, useRef } from 'preact/hooks';
import type { ComponentChildren } from 'preact';

interface DialogProps {
  readonly name: string;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}

/** A modal: the browser keeps the focus inside, and Escape closes it. */
export function Dialog({ name, onClose, children }: DialogProps) {
  const box = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    box.current?.showModal();
  }, []);
  return (
    <dialog
      ref={box}
      aria-label={name}
      onClose={onClose}
      onClick={(event) => {
        if (event.target === box.current) box.current?.close();
      }}
    >
      <div class="dialog">
        <h2>{name}</h2>
        {children}
      </div>
    </dialog>
  );
}
