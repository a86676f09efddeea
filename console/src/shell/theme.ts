/** `system` follows prefers-color-scheme; the others stay as chosen, on this machine. */
export type Theme = 'system' | 'light' | 'dark';

const storageKey = 'raybridge.theme';
const themes: readonly Theme[] = ['system', 'light', 'dark'];

export function storedTheme(): Theme {
  const stored = localStorage.getItem(storageKey);
  return themes.find((theme) => theme === stored) ?? 'system';
}

export function applyStoredTheme(): void {
  apply(storedTheme());
}

export function storeTheme(theme: Theme): void {
  localStorage.setItem(storageKey, theme);
  apply(theme);
}

export function themeAfter(theme: Theme): Theme {
  return themes[(themes.indexOf(theme) + 1) % themes.length] ?? 'system';
}

function apply(theme: Theme): void {
  if (theme === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = theme;
}
