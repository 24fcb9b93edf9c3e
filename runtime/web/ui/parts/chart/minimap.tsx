import { useEffect, useState } from 'preact/hooks';
import type { RefObject } from 'preact';
import type { DrawnChart } from '../../store.ts';

const WIDTH_MAX = 150;
const HEIGHT_MAX = 120;

interface MinimapProps {
  readonly drawn: DrawnChart;
  readonly box: RefObject<HTMLDivElement | null>;
  readonly scale: number;
  readonly active: readonly string[];
}

interface Sight {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** The whole chart in small, and what of it is in sight; only where not all of it is. */
export function Minimap({ drawn, box, scale, active }: MinimapProps) {
  const { width, height, boxes } = drawn.layout;
  const sight = useSight(box, scale);
  const small = Math.min(WIDTH_MAX / width, HEIGHT_MAX / height);
  if (!sight || (sight.width >= width && sight.height >= height)) return null;
  const lit = new Set(active);
  const jump = (event: MouseEvent): void => {
    const { left, top } = (event.currentTarget as SVGElement).getBoundingClientRect();
    box.current?.scrollTo({
      left: ((event.clientX - left) / small - sight.width / 2) * scale,
      top: ((event.clientY - top) / small - sight.height / 2) * scale,
    });
  };
  return (
    <svg
      class="minimap"
      viewBox={`0 0 ${width} ${height}`}
      width={width * small}
      height={height * small}
      aria-hidden="true"
      onClick={jump}
    >
      {Object.entries(boxes)
        .filter(([id]) => !id.endsWith('|initial'))
        .map(([id, place]) => (
          <rect key={id} class={lit.has(id) ? 'lit' : ''} {...place} rx={8} />
        ))}
      <rect class="sight" {...sight} rx={10} />
    </svg>
  );
}

/** What is in sight, in the units of the chart. */
function useSight(box: RefObject<HTMLDivElement | null>, scale: number): Sight | undefined {
  const [sight, setSight] = useState<Sight>();
  useEffect(() => {
    const { current } = box;
    if (!current) return undefined;
    const measure = (): void =>
      setSight({
        x: current.scrollLeft / scale,
        y: current.scrollTop / scale,
        width: current.clientWidth / scale,
        height: current.clientHeight / scale,
      });
    measure();
    current.addEventListener('scroll', measure, { passive: true });
    const observer = new ResizeObserver(measure);
    observer.observe(current);
    return () => {
      current.removeEventListener('scroll', measure);
      observer.disconnect();
    };
  }, [scale]);
  return sight;
}
