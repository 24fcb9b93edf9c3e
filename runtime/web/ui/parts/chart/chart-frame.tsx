import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { ComponentChildren } from 'preact';
import { frameOf } from '../../chart-index.ts';
import { zoom } from '../../store.ts';
import type { DrawnChart } from '../../store.ts';
import { ChartPicture } from './chart-picture.tsx';
import type { ChartLight } from './chart-picture.tsx';
import { Exports } from './exports.tsx';
import { Icon } from '../icon.tsx';
import { drawnAt, zoomBy } from '../keys.ts';
import { Minimap } from './minimap.tsx';

/** Below the first, texts can hardly be read; then the chart is scrolled, at the second. */
const FITTING_MIN = 0.8;
const SCROLLED = 0.95;
const LARGEST = 1.3;
const MARGIN = 32;

interface FrameProps {
  readonly drawn: DrawnChart;
  readonly light: ChartLight;
  /** What is drawn over the picture, in its upper corner. */
  readonly children?: ComponentChildren;
  readonly isPast?: boolean;
}

/** A chart that can be moved and sized; by itself it is as large as fits and can be read. */
export function ChartFrame({ drawn, light, children, isPast = false }: FrameProps) {
  const box = useRef<HTMLDivElement>(null);
  const [room, setRoom] = useState({ width: 0, height: 0 });
  const { width, height } = drawn.layout;
  useLayoutEffect(() => {
    const { current } = box;
    if (!current) return undefined;
    const measure = (): void =>
      setRoom({ width: current.clientWidth - MARGIN, height: current.clientHeight - MARGIN });
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(current);
    return () => observer.disconnect();
  }, []);
  const fitting = Math.min(room.width / width, room.height / height, LARGEST);
  const scale = zoom.value ?? (fitting < FITTING_MIN ? SCROLLED : fitting);
  drawnAt.scale = scale;
  useFollowing(box, drawn, light.active, room.width > 0 ? scale : 0);
  useHands(box);
  return (
    <div class={isPast ? 'frame past' : 'frame'}>
      <div class="canvas" ref={box} tabIndex={0} role="region" aria-label="Chart, can be scrolled">
        <div class="sheet">
          {room.width > 0 && <ChartPicture drawn={drawn} scale={scale} {...light} />}
        </div>
      </div>
      <div class="over">{children}</div>
      <Minimap drawn={drawn} box={box} scale={scale} active={light.active} />
      <div class="zoom" role="group" aria-label="Size of the chart">
        <button type="button" class="square" aria-label="Smaller" onClick={() => zoomBy(0.8)}>
          <Icon name="minus" />
        </button>
        <button
          type="button"
          title="As it can be read best (0)"
          onClick={() => (zoom.value = null)}
          aria-label={`${Math.round(scale * 100)} %, back to the best size`}
        >
          {Math.round(scale * 100)} %
        </button>
        <button type="button" class="square" aria-label="Larger" onClick={() => zoomBy(1.25)}>
          <Icon name="plus" />
        </button>
        <button
          type="button"
          class="square"
          aria-label="Whole chart"
          title="Whole chart"
          onClick={() => (zoom.value = fitting)}
        >
          <Icon name="fit" />
        </button>
        <Exports drawn={drawn} box={box} />
      </div>
    </div>
  );
}

type Box = { readonly current: HTMLDivElement | null };

/** Brings the active states into sight, when they change or the size does. */
function useFollowing(
  box: Box,
  { layout }: DrawnChart,
  active: readonly string[],
  scale: number,
): void {
  useEffect(() => {
    const { current } = box;
    const frame = frameOf(active, layout.boxes);
    if (!current || !frame || scale === 0) return;
    const [x, y] = [(frame.x + frame.width / 2) * scale, (frame.y + frame.height / 2) * scale];
    const reachX = current.clientWidth / 2 - Math.min(60, (frame.width * scale) / 2);
    const reachY = current.clientHeight / 2 - Math.min(40, (frame.height * scale) / 2);
    const left = x - current.clientWidth / 2;
    const top = y - current.clientHeight / 2;
    const isInSight =
      Math.abs(current.scrollLeft - left) < reachX && Math.abs(current.scrollTop - top) < reachY;
    if (!isInSight) current.scrollTo({ left, top });
  }, [active.join(' '), scale, layout]);
}

/** Moves the picture with the mouse, and sizes it with the wheel while Control is down. */
function useHands(box: Box): void {
  useEffect(() => {
    const { current } = box;
    if (!current) return undefined;
    const turn = (event: WheelEvent): void => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      zoomBy(event.deltaY > 0 ? 0.9 : 1.1);
    };
    const move = (event: PointerEvent): void => {
      current.scrollLeft -= event.movementX;
      current.scrollTop -= event.movementY;
    };
    const drop = (): void => {
      current.classList.remove('grabbed');
      current.removeEventListener('pointermove', move);
    };
    const grab = (event: PointerEvent): void => {
      const isOnBar = event.offsetX > current.clientWidth || event.offsetY > current.clientHeight;
      if (event.button !== 0 || event.pointerType !== 'mouse' || isOnBar) return;
      current.setPointerCapture(event.pointerId);
      current.classList.add('grabbed');
      current.addEventListener('pointermove', move);
    };
    const listeners = [
      ['wheel', turn],
      ['pointerdown', grab],
      ['pointerup', drop],
      ['pointercancel', drop],
    ] as const;
    for (const [name, listener] of listeners)
      current.addEventListener(name, listener as EventListener, { passive: false });
    return () => {
      for (const [name, listener] of listeners)
        current.removeEventListener(name, listener as EventListener);
    };
  }, []);
}
