/** Seconds or a date (RFC 9110, 10.2.3) as milliseconds from now; undefined when there is none, or it is past. */
export function retryAfterOf(headers: ReadonlyMap<string, string>, nowMs: number): number | undefined {
  const text = headers.get('retry-after')?.trim();
  if (!text) return undefined;
  const waitMs = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - nowMs;
  return waitMs > 0 ? waitMs : undefined;
}
