/** Light, dark, or as the system has it. The colours themselves are in styles/tokens.css. */
export type Theme = 'system' | 'light' | 'dark';

const STORED = 'wafast.theme';
const stored = localStorage.getItem(STORED);
const initial: Theme = stored === 'light' || stored === 'dark' ? stored : 'system';
let current = $state(initial);

function show(theme: Theme): void {
  if (theme === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = theme;
}

show(initial);

export const theme = {
  get current(): Theme {
    return current;
  },
  set current(value: Theme) {
    current = value;
    localStorage.setItem(STORED, value);
    show(value);
  },
};
