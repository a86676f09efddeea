import type { Scope } from './tree.ts';
import { keywordKind, keywords } from './tree.ts';

/** What people write who think in another query language. */
const foreignWords: ReadonlyMap<string, string> = new Map([
  ['like', 'use CONTAINS, BEGINSWITH or ENDSWITH'],
  ['matches', 'use CONTAINS, BEGINSWITH or ENDSWITH'],
  ['startswith', 'use BEGINSWITH'],
  ['not', 'write ! before the term'],
  ['is', 'use ='],
  ['eq', 'use ='],
  ['in', 'join comparisons with OR'],
  ['between', 'join two comparisons with AND'],
  ['where', 'write the terms alone'],
  ['latency', 'did you mean "responsetime"?'],
  ['4xx', 'did you mean "error"?'],
  ['5xx', 'did you mean "fault"?'],
]);

const functionWords = ['service', 'edge', 'rootcause.json'] as const;
const annotationPrefixes = ['annotation.', 'attributes.'] as const;

/**
 * The end of a message about an unknown keyword: what was probably meant, or nothing.
 * @param word in lower case.
 */
export function nearestKeyword(word: string, scope: Scope): string {
  const foreign = foreignWords.get(word);
  if (foreign !== undefined) return `; ${foreign}`;
  const known = Object.keys(keywords).filter((keyword) => allowedIn(keyword, scope));
  const candidates = scope === 'trace' ? [...known, ...functionWords] : known;
  const tail = candidates.find((candidate) => candidate.endsWith(`.${word}`));
  const nearest = tail ?? closest(word, candidates) ?? annotationLike(word, scope);
  return nearest === undefined ? '' : `, did you mean ${JSON.stringify(nearest)}?`;
}

/** `annotations.tenant` means `annotation.tenant`. */
function annotationLike(word: string, scope: Scope): string | undefined {
  if (scope.startsWith('rootcause')) return undefined;
  const keyAt = word.indexOf('.') + 1;
  return keyAt === 0 ? undefined : closest(word.slice(0, keyAt), annotationPrefixes);
}

function allowedIn(keyword: string, scope: Scope): boolean {
  // `keyword` is a key of the table: it comes from Object.keys of it.
  return keywordKind(keyword as keyof typeof keywords).scopes.includes(scope);
}

/** Edits that still look like a slip of the keyboard. */
const editsMax = 3;

function closest(word: string, candidates: readonly string[]): string | undefined {
  let best: { readonly candidate: string; readonly edits: number } | undefined;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - word.length) > editsMax) continue;
    const edits = countEdits(word, candidate);
    const plausible = edits <= editsMax && edits * 2 <= candidate.length;
    if (plausible && edits < (best?.edits ?? Infinity)) best = { candidate, edits };
  }
  return best?.candidate;
}

/** Levenshtein distance, row by row. Words here are as short as keywords. */
function countEdits(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= to.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
