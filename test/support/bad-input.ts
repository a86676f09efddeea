import { RaybridgeError } from '../../src/errors.ts';

/** For `assert.throws`: whether an error says BAD_INPUT and why. */
export function badInput(pattern: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof RaybridgeError && error.code === 'BAD_INPUT' && pattern.test(error.message);
}
