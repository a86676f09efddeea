/**
 * Consistent probability sampling (OpenTelemetry specification, "TraceState: Probability Sampling";
 * OTEP 235). A trace has 56 random bits R; a sampler has a threshold T and keeps what has R >= T. The
 * threshold goes on with the span, so that whoever counts spans knows how many each stands for, and a later
 * sampler of any probability makes the same choice.
 *
 * R and T are 14 lower-case hex digits, so their order is that of texts.
 */
export type Threshold = string;

/** Nothing is kept: above all random bits. */
export const neverSample: Threshold = 'never';
export const alwaysSample: Threshold = '0'.repeat(14);

const hexDigits = 14;
const bitsOfHexDigit = 4;
/** Of R. */
const possibilities = 2n ** 56n;
export const probabilityMin = 2 ** -56;

/** The last 56 bits of a trace id of 32 hex digits, which W3C Trace Context Level 2 wants to be random. */
export function randomnessOf(traceId: string): string {
  return traceId.slice(-hexDigits);
}

export function isSampled(randomness: string, threshold: Threshold): boolean {
  return randomness >= threshold;
}

/** 0 to 1. */
export function probabilityOf(threshold: Threshold): number {
  return threshold === neverSample ? 0 : Number(possibilities - BigInt(`0x${threshold}`)) / Number(possibilities);
}

/**
 * The threshold of a probability, rounded to so many hex digits; more near 0 and 1, where leading digits
 * say nothing. As the Collector rounds, so that both choose the same traces.
 */
export function thresholdOf(probability: number, precision: number): Threshold {
  if (probability < probabilityMin) return neverSample;
  if (probability >= 1) return alwaysSample;
  const leading = Math.max(leadingDigits(probability), leadingDigits(1 - probability));
  const digits = Math.min(hexDigits, precision + leading);
  const exact = possibilities - BigInt(Math.round(probability * Number(possibilities)));
  const shift = BigInt(bitsOfHexDigit * (hexDigits - digits));
  const half = shift === 0n ? 0n : 1n << (shift - 1n);
  const rounded = ((exact + half) >> shift) << shift;
  return rounded >= possibilities ? neverSample : rounded.toString(16).padStart(hexDigits, '0');
}

/** Whole hex digits of a fraction that are 0 before the first bit that is not, by its exponent in binary. */
function leadingDigits(fraction: number): number {
  const bits = new DataView(new ArrayBuffer(8));
  bits.setFloat64(0, fraction);
  const exponent = ((bits.getUint16(0) >> 4) & 0x7ff) - exponentBias;
  return Math.trunc(-exponent / bitsOfHexDigit);
}

/** Of an IEEE double whose mantissa is taken as 0.1…. */
const exponentBias = 1022;
