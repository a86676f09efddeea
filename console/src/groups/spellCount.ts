import { formatCount } from '../format/count.ts';

/** `12`, `100+` when there are more, `…` while nobody knows. */
export function spellCount(found: { readonly count: number; readonly more: boolean } | undefined): string {
  return found ? `${formatCount(found.count)}${found.more ? '+' : ''}` : '…';
}
