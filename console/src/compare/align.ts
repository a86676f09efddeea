export interface Pair<Value> {
  /** Undefined on the side that does not have it. */
  readonly a: Value | undefined;
  readonly b: Value | undefined;
}

/** Above this the table of the longest common subsequence costs more than it tells. */
const cellsMax = 1_000_000;

/**
 * Two lists on one: what is equal in both and in the same order is paired by the longest common
 * subsequence; equal ones that are left over, because calls at the same time come in any order, in the
 * order of their lists. Pairs stand where `a` has them, what only `b` has after its neighbour there.
 */
export function align<Value>(
  a: readonly Value[],
  b: readonly Value[],
  kindOf: (value: Value) => string,
): readonly Pair<Value>[] {
  const [kindsA, kindsB] = [a.map(kindOf), b.map(kindOf)];
  const inOrder = longestCommon(kindsA, kindsB);
  const moved = pairLeftOvers(kindsA, kindsB, inOrder);
  const partners = new Map([...inOrder, ...moved]);
  const pairedB = new Set(partners.values());
  const anchors = new Map(inOrder);
  const pairs: Pair<Value>[] = [];
  let next = 0;
  const takeAlone = (until: number): void => {
    for (; next < until; next += 1) if (!pairedB.has(next)) pairs.push({ a: undefined, b: b[next] });
  };
  for (const [at, value] of a.entries()) {
    takeAlone(anchors.get(at) ?? next);
    const partner = partners.get(at);
    pairs.push({ a: value, b: partner === undefined ? undefined : b[partner] });
  }
  takeAlone(b.length);
  return pairs;
}

type Match = readonly [a: number, b: number];

/** Places of a longest common subsequence, ascending on both sides; of several the one that begins first. */
function longestCommon(a: readonly string[], b: readonly string[]): readonly Match[] {
  const matches: Match[] = [];
  let first = 0;
  while (first < a.length && first < b.length && a[first] === b[first]) {
    matches.push([first, first]);
    first += 1;
  }
  const [restA, restB] = [a.slice(first), b.slice(first)];
  if (restA.length * restB.length > cellsMax) return matches;
  const lengths = commonLengths(restA, restB);
  for (let i = 0, j = 0; i < restA.length && j < restB.length;) {
    if (restA[i] === restB[j]) matches.push([first + i++, first + j++]);
    else if ((lengths[i + 1]?.[j] ?? 0) >= (lengths[i]?.[j + 1] ?? 0)) i += 1;
    else j += 1;
  }
  return matches;
}

/** At `[i][j]` the length for what follows from there. */
function commonLengths(a: readonly string[], b: readonly string[]): readonly Uint32Array[] {
  const lengths = Array.from({ length: a.length + 1 }, () => new Uint32Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i -= 1) {
    const [row, below] = [lengths[i], lengths[i + 1]];
    if (!row || !below) continue;
    for (let j = b.length - 1; j >= 0; j -= 1) {
      row[j] = a[i] === b[j] ? (below[j + 1] ?? 0) + 1 : Math.max(below[j] ?? 0, row[j + 1] ?? 0);
    }
  }
  return lengths;
}

function pairLeftOvers(a: readonly string[], b: readonly string[], taken: readonly Match[]): readonly Match[] {
  const [takenA, takenB] = [new Set(taken.map(([at]) => at)), new Set(taken.map(([, at]) => at))];
  const waiting = new Map<string, number[]>();
  for (const [at, kind] of b.entries()) {
    if (takenB.has(at)) continue;
    const places = waiting.get(kind);
    if (places) places.push(at);
    else waiting.set(kind, [at]);
  }
  // Taken from the front by turns: a list would be moved with every one.
  const turns = new Map<string, number>();
  return a.flatMap((kind, at): readonly Match[] => {
    if (takenA.has(at)) return [];
    const turn = turns.get(kind) ?? 0;
    const partner = waiting.get(kind)?.[turn];
    if (partner === undefined) return [];
    turns.set(kind, turn + 1);
    return [[at, partner]];
  });
}
