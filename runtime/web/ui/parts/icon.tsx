/** Signs of 16 by 16, drawn with the colour of the text. They never stand alone for a meaning. */
const PATHS = {
  search: 'M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10ZM11 11l3.5 3.5',
  pause: 'M5.5 3v10M10.5 3v10',
  play: 'M5 3l8 5-8 5Z',
  pin: 'M6 2h4l-.5 5L12 9.500H4L6.500 7ZM8 9.500V14',
  plus: 'M8 3v10M3 8h10',
  minus: 'M3 8h10',
  fit: 'M2 6V2h4M10 2h4v4M14 10v4h-4M6 14H2v-4',
  download: 'M8 2v8M4.500 7 8 10.500 11.500 7M2.500 13.500h11',
  theme: 'M8 2a6 6 0 1 0 0 12ZM8 2a6 6 0 0 1 0 12',
  keys: 'M1.500 4h13v8h-13ZM4 7h.5M7 7h.5M10 7h.5M5 9.800h6',
  back: 'M10 3 5 8l5 5',
  forward: 'M6 3l5 5-5 5',
  warning: 'M8 2 15 14H1ZM8 6.500v3.500M8 12v.2',
  check: 'M2.500 8.500 6.500 12.500 13.500 4.500',
  cross: 'M3.500 3.500l9 9M12.500 3.500l-9 9',
  open: 'M1.500 13V3h4l1.500 2h7.500v8Z',
  send: 'M2 8h10M8 4l4 4-4 4',
  undo: 'M5.500 2.500 2.500 5.500l3 3M2.500 5.500h7a4 4 0 0 1 0 8H6',
} as const;

export type IconName = keyof typeof PATHS;

export const Icon = ({ name }: { readonly name: IconName }) => (
  <svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
    <path d={PATHS[name]} />
  </svg>
);

/** The sign of the house: threads that meet. */
export const Mark = () => (
  <svg class="mark" viewBox="0 0 24 24" width="22" height="22" aria-hidden="true">
    <path d="M12 21v-7M12 14 6.500 8.500M12 14l5.500-5.500M6.500 8.500V4M6.500 8.500H2.500M17.500 8.500V4M17.500 8.500h4" />
    <circle cx="12" cy="14" r="2.200" />
    <circle cx="6.500" cy="8.500" r="1.500" />
    <circle cx="17.500" cy="8.500" r="1.500" />
  </svg>
);
