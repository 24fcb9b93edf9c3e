import type { ComponentChildren } from 'preact';

interface EmptyProps {
  readonly title: string;
  readonly children?: ComponentChildren;
  /** A command line that brings what is missing. */
  readonly command?: string;
}

/** Where nothing is to be seen: why, and what brings it. */
export const Empty = ({ title, children, command }: EmptyProps) => (
  <div class="empty">
    <strong>{title}</strong>
    {children !== undefined && <p>{children}</p>}
    {command !== undefined && <code class="command">{command}</code>}
  </div>
);

/** A sentence with the command that it names in backticks drawn as one. */
export const Hint = ({ text }: { readonly text: string }) => (
  <>
    {text
      .split('`')
      .map((part, index) => (index % 2 === 0 ? part : <code key={part}>{part}</code>))}
  </>
);
