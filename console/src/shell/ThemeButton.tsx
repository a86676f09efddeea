import { useState } from 'react';
import type { JSX } from 'react';
import { Icon } from './Icon.tsx';
import { storeTheme, storedTheme, themeAfter } from './theme.ts';
import type { Theme } from './theme.ts';

const labels: Readonly<Record<Theme, string>> = {
  system: 'Theme: as the system',
  light: 'Theme: light',
  dark: 'Theme: dark',
};

export function ThemeButton(): JSX.Element {
  const [theme, setTheme] = useState(storedTheme);
  const change = () => {
    const next = themeAfter(theme);
    storeTheme(next);
    setTheme(next);
  };
  return (
    <button type="button" data-kind="icon" onClick={change} aria-label={labels[theme]} title={labels[theme]}>
      <Icon name={theme} />
    </button>
  );
}
