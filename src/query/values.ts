/** The text with its ids and numbers as zeros: equal for what differs in nothing but its values. */
export function withoutValues(text: string): string {
  return text.replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{16,}|\d+/gi, '0');
}

/** Of a URL: hosts change with where a service runs, queries with every request. */
export function pathOf(url: string): string {
  return url.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '').replace(/[?#].*$/s, '') || '/';
}
