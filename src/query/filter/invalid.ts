import { RaybridgeError } from '../../errors.ts';

/**
 * @param offset of the character that is wrong; the message counts from 1, as people do.
 */
export function invalidFilter(reason: string, offset: number): RaybridgeError {
  return new RaybridgeError('FILTER_INVALID', `Invalid filter expression: ${reason} at position ${offset + 1}`);
}
