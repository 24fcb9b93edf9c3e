/** Light or dark: as the system has it, until somebody says otherwise. */
const KEPT = 'mesh-theme';

/** Follows the system from now on. */
export function followTheme(): void {
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const show = (): void => {
    const chosen = localStorage.getItem(KEPT);
    document.documentElement.dataset['theme'] = chosen ?? (dark.matches ? 'dark' : 'light');
  };
  dark.addEventListener('change', show);
  show();
}

export function switchTheme(): void {
  const { dataset } = document.documentElement;
  dataset['theme'] = dataset['theme'] === 'dark' ? 'light' : 'dark';
  localStorage.setItem(KEPT, dataset['theme']);
}
