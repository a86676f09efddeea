/** Exact times: nanoseconds since 1970 as bigint, epoch seconds as decimal text, never a double between. */

const nanosecondsPerSecond = 1_000_000_000n;

/**
 * Epoch seconds as the shortest exact decimal: 1700493644983389600n becomes `1700493644.9833896`.
 * Negative times (before 1970) keep their sign.
 */
export function secondsText(timeNs: bigint): string {
  const negative = timeNs < 0n;
  const magnitude = negative ? -timeNs : timeNs;
  const whole = magnitude / nanosecondsPerSecond;
  const rest = magnitude % nanosecondsPerSecond;
  const fraction = rest === 0n ? '' : `.${rest.toString().padStart(9, '0').replace(/0+$/, '')}`;
  return `${negative ? '-' : ''}${whole}${fraction}`;
}

const decimalPattern = /^(-?)(\d{1,40})(?:\.(\d{0,60}))?(?:[eE]([+-]?\d{1,3}))?$/;

/**
 * Nanoseconds of a JSON number literal of epoch seconds, in plain or exponent form. More than nine
 * decimals round half to even. Undefined when the text is no such number, or lies before what int64
 * holds (1677) or past what uint64 does (2554).
 */
export function parseSeconds(literal: string): bigint | undefined {
  return parsePlainSeconds(literal) ?? parseAnySeconds(literal);
}

/** Ten digits and at most nine decimals, as every clock of this century prints; undefined for any other form. */
function parsePlainSeconds(literal: string): bigint | undefined {
  const { length } = literal;
  if (length < 10 || length > 20 || (length > 10 && literal.charCodeAt(10) !== 0x2e)) return undefined;
  let whole = 0;
  let fraction = 0;
  for (let index = 0; index < 20; index += 1) {
    if (index === 10) continue;
    const digit = index < length ? literal.charCodeAt(index) - 0x30 : 0;
    if (digit < 0 || digit > 9) return undefined;
    if (index < 10) whole = whole * 10 + digit;
    else fraction = fraction * 10 + digit;
  }
  return BigInt(whole) * nanosecondsPerSecond + BigInt(fraction);
}

function parseAnySeconds(literal: string): bigint | undefined {
  const parts = decimalPattern.exec(literal);
  if (!parts) return undefined;
  const fraction = parts[3] ?? '';
  const digits = BigInt(`${parts[2]}${fraction}`);
  const shift = Number(parts[4] ?? '0') - fraction.length + 9;
  if (shift > 60) return digits === 0n ? 0n : undefined;
  const magnitude = shift >= 0 ? digits * 10n ** BigInt(shift) : divideHalfEven(digits, 10n ** BigInt(-shift));
  const timeNs = parts[1] === '-' ? -magnitude : magnitude;
  return timeNs >= earliestNs && timeNs <= latestNs ? timeNs : undefined;
}

const earliestNs = -(2n ** 63n);
const latestNs = 2n ** 64n - 1n;

/** The same for the time of a span or document, which OTLP holds in 64 bits without a sign: undefined before 1970, too. */
export function parseTime(literal: string): bigint | undefined {
  const timeNs = parseSeconds(literal);
  return timeNs === undefined || timeNs < 0n ? undefined : timeNs;
}

/** Nanoseconds as seconds in a double, for arithmetic on durations and for answers. */
export function toSeconds(timeNs: bigint): number {
  return Number(timeNs / 1000n) / 1e6 + Number(timeNs % 1000n) / 1e9;
}

function divideHalfEven(value: bigint, divisor: bigint): bigint {
  const quotient = value / divisor;
  const twice = (value % divisor) * 2n;
  const up = twice > divisor || (twice === divisor && quotient % 2n === 1n);
  return up ? quotient + 1n : quotient;
}
