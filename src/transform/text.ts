import { encodeAttributeJson } from '../codec/otlp-json.ts';
import { printJson } from '../codec/index.ts';
import type { AttributeValue } from '../model/index.ts';

/** A value as text: what is not text in the form that the Collector gives it. */
export function textOf(value: AttributeValue): string {
  if (typeof value === 'string') return value;
  if (value === undefined) return '';
  if (typeof value === 'bigint' || typeof value === 'boolean' || typeof value === 'number') return String(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  return printJson(encodeAttributeJson(value));
}
