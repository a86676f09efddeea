/**
 * Trace and span ids. Inside, a trace id is 32 lower-case hex digits; the X-Ray form `1-8-24`
 * lives at the rim only. Both hold the same 128 bits (AWS X-Ray developer guide, "trace ids").
 */

const traceIdPattern = /^[0-9a-f]{32}$/;
const spanIdPattern = /^[0-9a-f]{16}$/;
const xrayTraceIdPattern = /^1-([0-9a-f]{8})-([0-9a-f]{24})$/;
const zeroTraceId = '0'.repeat(32);
const zeroSpanId = '0'.repeat(16);

/** `1-8-24` of a trace id of 32 hex digits. */
export function toXrayTraceId(traceId: string): string {
  return `1-${traceId.slice(0, 8)}-${traceId.slice(8)}`;
}

/**
 * The trace id that a text in either form stands for, in any case: `1-8-24` or 32 hex digits.
 * Undefined when it is neither, or all zero.
 */
export function parseTraceId(text: string): string | undefined {
  const lower = text.toLowerCase();
  const parts = xrayTraceIdPattern.exec(lower);
  const traceId = parts ? `${parts[1]}${parts[2]}` : lower;
  return isTraceId(traceId) ? traceId : undefined;
}

/** The span id that a text of 16 hex digits in any case stands for; undefined when it is none, or all zero. */
export function parseSpanId(text: string): string | undefined {
  const lower = text.toLowerCase();
  return isSpanId(lower) ? lower : undefined;
}

export function isTraceId(text: string): boolean {
  return traceIdPattern.test(text) && text !== zeroTraceId;
}

export function isSpanId(text: string): boolean {
  return spanIdPattern.test(text) && text !== zeroSpanId;
}

/**
 * Unix seconds that an X-Ray id was born with: its first 32 bits. Ids made by W3C tracers hold
 * random bits there, so the caller compares the result with a time it trusts.
 */
export function epochSecondsOf(traceId: string): number {
  return Number.parseInt(traceId.slice(0, 8), 16);
}
