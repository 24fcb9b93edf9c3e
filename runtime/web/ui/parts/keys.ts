import { useEffect } from 'preact/hooks';
import { actors, closed, isHeld, route, rows, select, toggle } from '../store.ts';

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement;

/** Arrows or hjkl in the tree, `/` for the filter, space to hold the log. */
export function useKeys(): void {
  useEffect(() => {
    const listen = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === 'Escape' && isTyping(event.target)) (event.target as HTMLElement).blur();
      if (isTyping(event.target) || route.value.page !== 'actors') return;
      if (press(event.key)) event.preventDefault();
    };
    addEventListener('keydown', listen);
    return () => removeEventListener('keydown', listen);
  }, []);
}

function press(key: string): boolean {
  switch (key) {
    case '/':
      document.getElementById('filter')?.focus();
      return true;
    case ' ':
      isHeld.value = !isHeld.value;
      return true;
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
    default:
      return false;
  }
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
  if (closed.value.has(subject)) toggle(subject);
  else {
    const child = [...actors.value.values()].find(({ parent }) => parent === subject);
    if (child) select(child.path);
  }
  return true;
}
