import type { Piece } from './pieces.ts';

/**
 * `:12`, the line of the file in which an offset of the piece stands; nothing in protobuf, whose
 * messages name the byte. Only pieces that are complained of are searched for lines, and once.
 */
export function lineFinder(piece: Piece): (offset: number) => string {
  if (piece.kind === 'proto' || piece.line === undefined) return () => '';
  const { line } = piece;
  if (piece.kind === 'too large') return () => `:${line}`;
  let ends: readonly number[] | undefined;
  return (offset) => {
    ends ??= lineEnds(piece.bytes);
    return `:${line + countBelow(ends, offset)}`;
  };
}

function lineEnds(bytes: Uint8Array): readonly number[] {
  const ends: number[] = [];
  for (let at = bytes.indexOf(newline); at >= 0; at = bytes.indexOf(newline, at + 1)) ends.push(at);
  return ends;
}

const newline = 0x0a;

/** How many of the ascending numbers are below the bound, by bisection. */
function countBelow(ascending: readonly number[], bound: number): number {
  let [low, high] = [0, ascending.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ascending[middle] ?? 0) < bound) low = middle + 1;
    else high = middle;
  }
  return low;
}
