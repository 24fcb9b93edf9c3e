import { useEffect, useRef, useState } from 'preact/hooks';
import type { RefObject } from 'preact';

/** Which rows of a long list are in sight; only those are in the document. */
export function useWindow(
  count: number,
  rowHeight: number,
): {
  readonly box: RefObject<HTMLDivElement | null>;
  readonly first: number;
  readonly last: number;
  readonly onScroll: () => void;
} {
  const box = useRef<HTMLDivElement>(null);
  const [place, setPlace] = useState({ top: 0, height: 600 });
  const measure = (): void => {
    const { current } = box;
    if (current) setPlace({ top: current.scrollTop, height: current.clientHeight });
  };
  useEffect(() => {
    measure();
    const observer = new ResizeObserver(measure);
    if (box.current) observer.observe(box.current);
    return () => observer.disconnect();
  }, []);
  const first = Math.max(0, Math.floor(place.top / rowHeight) - 8);
  const last = Math.min(count, Math.ceil((place.top + place.height) / rowHeight) + 8);
  return { box, first, last, onScroll: measure };
}
