import { RaybridgeError } from '../../src/errors.ts';

/** What came out of a work that may refuse its input: a value, or the words of a BAD_INPUT. */
export interface Outcome<Value> {
  readonly value?: Value;
  readonly refusal?: string;
}

/** Any error but BAD_INPUT is a bug, and is thrown on. */
export function outcomeOf<Value>(work: () => Value): Outcome<Value> {
  try {
    return { value: work() };
  } catch (error) {
    if (error instanceof RaybridgeError && error.code === 'BAD_INPUT') return { refusal: error.message };
    throw error;
  }
}
