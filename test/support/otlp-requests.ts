import { readFileSync } from 'node:fs';
import { rootPath } from './root.ts';

/** The repository's recorded requests of the OpenTelemetry JS SDK, by name. */
export const requestNames = ['one', 'checkout', 'values'] as const;

export function readRequest(name: (typeof requestNames)[number], form: 'pb' | 'json'): Uint8Array {
  return readFileSync(rootPath('test/fixtures/otlp', `${name}.${form}`));
}
