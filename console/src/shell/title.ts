import { useEffect } from 'react';

/** The title of the browser's tab; screen readers announce it when the page changes. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · Raybridge`;
  }, [title]);
}
