/** Seconds as people read them: `85 µs`, `212 ms`, `1.24 s`, `3 m 2 s`, `2 h 5 m`. */
export function formatDuration(seconds: number): string {
  const magnitude = Math.abs(seconds);
  if (magnitude === 0) return '0 ms';
  if (magnitude < 0.0009995) return `${round(seconds * 1e6, 3)} µs`;
  if (magnitude < 0.9995) return `${round(seconds * 1e3, 3)} ms`;
  if (magnitude < 59.95) return `${round(seconds, 3)} s`;
  if (magnitude < 3599.5) return twoUnits(seconds, { size: 60, large: 'm', small: 's' });
  if (magnitude < 86_370) return twoUnits(seconds / 60, { size: 60, large: 'h', small: 'm' });
  return twoUnits(seconds / 3600, { size: 24, large: 'd', small: 'h' });
}

/** The same for a screen reader: `212 milliseconds`. */
export function spellDuration(seconds: number): string {
  return formatDuration(seconds).replaceAll(/µs|ms|[smhd]/g, (unit) => unitNames.get(unit) ?? unit);
}

const unitNames = new Map([
  ['µs', 'microseconds'],
  ['ms', 'milliseconds'],
  ['s', 'seconds'],
  ['m', 'minutes'],
  ['h', 'hours'],
  ['d', 'days'],
]);

function twoUnits(value: number, { size, large, small }: { size: number; large: string; small: string }): string {
  const whole = Math.round(value);
  const rest = Math.abs(whole % size);
  return rest === 0 ? `${Math.trunc(whole / size)} ${large}` : `${Math.trunc(whole / size)} ${large} ${rest} ${small}`;
}

function round(value: number, digits: number): string {
  return String(Number(value.toPrecision(digits)));
}
