import type { RefObject } from 'preact';
import { mermaidOf } from '../../../../charts/mermaid.ts';
import type { DrawnChart } from '../../store.ts';
import { Icon } from '../icon.tsx';

interface ExportsProps {
  readonly drawn: DrawnChart;
  readonly box: RefObject<HTMLDivElement | null>;
}

/** The shown chart as a file: a picture as it is lit now, Mermaid, or its data. */
export function Exports({ drawn, box }: ExportsProps) {
  const { name } = drawn.chart;
  const picture = (): void => {
    const svg = box.current?.querySelector('svg');
    if (svg) save(`${name}.svg`, 'image/svg+xml', standAlone(svg));
  };
  return (
    <details
      class="menu"
      onToggle={closeElsewhere}
      onKeyDown={({ key, currentTarget }) => {
        if (key === 'Escape') currentTarget.open = false;
      }}
    >
      <summary aria-label="Export the chart" title="Export the chart">
        <Icon name="download" />
      </summary>
      <div class="choices">
        <button type="button" onClick={picture}>
          SVG
        </button>
        <button
          type="button"
          onClick={() => save(`${name}.mmd`, 'text/plain', mermaidOf(drawn.chart))}
        >
          Mermaid
        </button>
        <button
          type="button"
          onClick={() =>
            save(`${name}.json`, 'application/json', `${JSON.stringify(drawn.chart, null, 2)}\n`)
          }
        >
          JSON
        </button>
      </div>
    </details>
  );
}

/** A click anywhere else closes it. */
function closeElsewhere({ currentTarget }: { readonly currentTarget: HTMLDetailsElement }): void {
  if (!currentTarget.open) return;
  const close = (event: Event): void => {
    if (
      event.target instanceof Node &&
      currentTarget.querySelector('summary')?.contains(event.target)
    )
      return;
    setTimeout(() => (currentTarget.open = false), 0);
  };
  addEventListener('click', close, { once: true });
}

/** Gives a text to the reader as a file. */
export function save(name: string, type: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement('a');
  Object.assign(link, { href: url, download: name });
  link.click();
  URL.revokeObjectURL(url);
}

/**
 * The picture with the rules that it is drawn by, and the colours of the present theme in place of
 * their names: not every reader of SVG knows variables.
 */
function standAlone(svg: SVGSVGElement): string {
  const copy = svg.cloneNode(true) as SVGSVGElement;
  copy.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  for (const one of copy.querySelectorAll('.flow, .reach')) one.remove();
  const colours = getComputedStyle(document.documentElement);
  const rules = [...document.styleSheets]
    .flatMap((sheet) => [...sheet.cssRules])
    .map(({ cssText }) => cssText)
    .filter((text) => text.startsWith('svg.chart'))
    .join('\n')
    .replaceAll(/var\((--[\w-]+)\)/g, (_, name: string) => colours.getPropertyValue(name).trim());
  const style = document.createElementNS('http://www.w3.org/2000/svg', 'style');
  style.textContent = rules;
  copy.prepend(style);
  return `${new XMLSerializer().serializeToString(copy)}\n`;
}
