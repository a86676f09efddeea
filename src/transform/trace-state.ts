import { alwaysSample, type Threshold } from './consistent-sampling.ts';

/**
 * A `tracestate` (W3C Trace Context, section 3.3) with OpenTelemetry's member `ot` taken apart
 * (OpenTelemetry specification, "TraceState Handling").
 */
export interface TraceState {
  /** `rv`: random bits, where those of the trace id are none; in the letters of its sender. */
  readonly randomness: string | undefined;
  /** `th`: what samplers before have left. */
  readonly threshold: Threshold | undefined;
  /** The other fields of `ot`, as `key:value`. */
  readonly fields: readonly string[];
  /** The other members, as `key=value`. */
  readonly members: readonly string[];
}

const charactersMax = 1024;
const membersMax = 32;
const otCharactersMax = 256;
const memberPattern =
  /^(?:[a-z][a-z0-9_\-*/]{0,255}|[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13})=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;
const fieldPattern = /^[a-z][a-z0-9]*:[A-Za-z0-9._-]*$/;

/** Undefined when it is none. */
export function parseTraceState(text: string): TraceState | undefined {
  if (text.length > charactersMax) return undefined;
  const all = text
    .split(',')
    .map((member) => member.trim())
    .filter((member) => member !== '');
  if (all.length > membersMax || !all.every((member) => memberPattern.test(member))) return undefined;
  const ot = all.find((member) => member.startsWith('ot='))?.slice('ot='.length);
  const members = all.filter((member) => !member.startsWith('ot='));
  if (ot === undefined) return { randomness: undefined, threshold: undefined, fields: [], members };
  const parts = ot.split(';');
  if (ot.length > otCharactersMax || !parts.every((field) => fieldPattern.test(field))) return undefined;
  const valueOf = (key: string): string | undefined =>
    parts.find((field) => field.startsWith(`${key}:`))?.slice(key.length + 1);
  const [randomness, threshold] = [valueOf('rv'), valueOf('th')];
  if (randomness !== undefined && !/^[0-9a-f]{14}$/i.test(randomness)) return undefined;
  if (threshold !== undefined && !/^[0-9a-f]{1,14}$/i.test(threshold)) return undefined;
  const fields = parts.filter((field) => !/^(?:rv|th):/.test(field));
  return { randomness, threshold: threshold?.toLowerCase().padEnd(alwaysSample.length, '0'), fields, members };
}

/** `ot` first: a member that was changed moves to the front. */
export function printTraceState({ randomness, threshold, fields, members }: TraceState): string {
  const ot = [
    ...(randomness === undefined ? [] : [`rv:${randomness}`]),
    ...(threshold === undefined ? [] : [`th:${threshold.replace(/0+$/, '') || '0'}`]),
    ...fields,
  ];
  return [...(ot.length === 0 ? [] : [`ot=${ot.join(';')}`]), ...members].join(',');
}
