import { useEffect } from 'preact/hooks';
import {
  children,
  chosenMachine,
  closed,
  details,
  go,
  hold,
  isHelpOpen,
  machineRows,
  pin,
  recording,
  route,
  rows,
  select,
  toggle,
  zoom,
} from '../store.ts';
import { PAGES } from '../route.ts';
import type { PageName } from '../route.ts';

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLInputElement ? target.type !== 'range' : isInField(target);

const isInField = (target: EventTarget | null): boolean =>
  target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;

/** A button takes space, and a link Enter: those keep their keys. */
const isOnButton = (target: EventTarget | null): boolean =>
  target instanceof Element && target.closest('button, a, summary') !== null;

const WALKS: Partial<Record<PageName, (event: KeyboardEvent) => boolean>> = {
  actors: walk,
  machines: walkMachines,
};

/** Arrows or hjkl in the tree, `/` for the filter, space to hold; `?` shows them all. */
export function useKeys(): void {
  useEffect(() => {
    const listen = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === 'Escape' && isTyping(event.target)) (event.target as HTMLElement).blur();
      if (isTyping(event.target) || document.querySelector('dialog[open]')) return;
      if (event.key === ' ' && isOnButton(event.target)) return;
      const isHandled = press(event.key) || (WALKS[route.value.page]?.(event) ?? false);
      if (isHandled) event.preventDefault();
    };
    addEventListener('keydown', listen);
    return () => removeEventListener('keydown', listen);
  }, []);
}

/** What holds on every page. */
function press(key: string): boolean {
  const page = PAGES[Number(key) - 1];
  if (page !== undefined) go({ page, subject: null, filter: '' });
  else if (key === '/') document.querySelector<HTMLElement>('input[type=search]')?.focus();
  else if (key === ' ') hold();
  else if (key === '?') isHelpOpen.value = true;
  else if (key === '0') zoom.value = null;
  else if (key === '+' || key === '=') zoomBy(1.25);
  else if (key === '-') zoomBy(0.8);
  else return false;
  return true;
}

export const ZOOM = { min: 0.2, max: 3 } as const;
/** What the chart is drawn at now; its frame says so. */
export const drawnAt = { scale: 1 };

export function zoomBy(factor: number): void {
  zoom.value = Math.min(ZOOM.max, Math.max(ZOOM.min, drawnAt.scale * factor));
}

/** Up and down in the list of machines. */
function walkMachines({ key }: KeyboardEvent): boolean {
  const by = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 }[key];
  const all = machineRows.value ?? [];
  const place = all.findIndex((row) => row.key === chosenMachine.value?.key);
  const next = by === undefined ? undefined : all[place + by];
  if (next) go({ subject: next.key });
  return by !== undefined;
}

const isInSlider = (target: EventTarget | null): boolean => target instanceof HTMLInputElement;

/** What holds in the tree. */
function walk({ key, target }: KeyboardEvent): boolean {
  if (isInSlider(target) && key.startsWith('Arrow')) return false;
  switch (key) {
    case 'ArrowDown':
    case 'j':
      return move(1);
    case 'ArrowUp':
    case 'k':
      return move(-1);
    case 'ArrowLeft':
    case 'h':
      return leave();
    case 'ArrowRight':
    case 'l':
      return enter();
    case '[':
      return goBy(-1);
    case ']':
      return goBy(1);
    case 'p':
      if (route.value.subject !== null) pin(route.value.subject);
      return true;
    default:
      return false;
  }
}

/** In time; the newest step is now. */
export function goBy(by: -1 | 1): boolean {
  const steps = details.value?.steps ?? [];
  const { at } = route.value;
  if (recording.value) {
    const next =
      by < 0
        ? steps.findLast(({ seq }) => seq < (at ?? Infinity))
        : steps.find(({ seq }) => at !== null && seq > at);
    go({ at: next?.seq ?? (by < 0 ? at : null) });
    return true;
  }
  const found = steps.findIndex(({ seq }) => seq === at);
  goToStep((found < 0 ? steps.length - 1 : found) + by);
  return true;
}

export function goToStep(place: number): void {
  const steps = details.value?.steps ?? [];
  const isNow = place >= steps.length - 1;
  go({ at: isNow ? null : (steps[Math.max(0, place)]?.seq ?? null) });
}

function move(by: number): boolean {
  const place = rows.value.findIndex(({ row }) => row.path === route.value.subject);
  const next = rows.value[Math.min(rows.value.length - 1, Math.max(0, place + by))];
  if (next) select(next.row.path);
  return true;
}

/** Closes what is open, else goes to the parent. */
function leave(): boolean {
  const subject = route.value.subject ?? '';
  const found = rows.value.find(({ row }) => row.path === subject);
  if (found?.isOpen === true && !found.isLeaf) toggle(subject);
  else if (typeof found?.row.parent === 'string') select(found.row.parent);
  return true;
}

/** Opens what is closed, else goes to the first child. */
function enter(): boolean {
  const subject = route.value.subject ?? '';
  const [child] = children.value.get(subject) ?? [];
  if (closed.value.has(subject)) toggle(subject);
  else if (child) select(child.path);
  return true;
}
