import { keywordKind, keywords } from '../../../src/query/index.ts';
import type { Keyword } from '../../../src/query/index.ts';

/** What can stand where the cursor is. */
export type Completing =
  /** Words of the language that begin with what is there. */
  | { readonly kind: 'word'; readonly from: number; readonly prefix: string }
  /** Keys of annotations. */
  | { readonly kind: 'key'; readonly from: number; readonly prefix: string }
  /** Values of an annotation; the quote at `from` belongs to what is replaced. */
  | { readonly kind: 'value'; readonly from: number; readonly prefix: string; readonly key: string };

export interface Suggestion {
  /** What stands in the list. */
  readonly label: string;
  /** What it puts in place of the beginning. */
  readonly text: string;
  /** Beside it: how often it occurs, or what it asks for. */
  readonly note: string;
}

const valuePattern =
  /(?:annotation\.([\w.:-]+)|annotation\[([^\]]+)\])\s*(?:=|!=|CONTAINS|BEGINSWITH|ENDSWITH)\s*("[^"]*)$/i;
const keyPattern = /annotation\.([\w.:-]*)$/i;
const wordPattern = /(?:^|[\s(!{])([A-Za-z][\w.]*)$/;

/** Undefined where nothing can be suggested, such as inside a number. */
export function completingAt(text: string, cursor: number): Completing | undefined {
  const before = text.slice(0, cursor);
  const value = valuePattern.exec(before);
  if (value) {
    const [, plain, bracketed, quoted = ''] = value;
    return { kind: 'value', from: cursor - quoted.length, prefix: quoted.slice(1), key: plain ?? bracketed ?? '' };
  }
  // An open quote: a value that nobody can know.
  if ((before.match(/"/g)?.length ?? 0) % 2 === 1) return undefined;
  const key = keyPattern.exec(before)?.[1];
  if (key !== undefined) return { kind: 'key', from: cursor - key.length, prefix: key };
  const word = wordPattern.exec(before)?.[1];
  return word === undefined ? undefined : { kind: 'word', from: cursor - word.length, prefix: word };
}

const functions: readonly Suggestion[] = [
  { label: 'annotation.…', text: 'annotation.', note: 'an annotation or attribute' },
  { label: 'service("…")', text: 'service("', note: 'went through a service' },
  { label: 'edge("…", "…")', text: 'edge("', note: 'has a call between two services' },
  { label: 'AND', text: 'AND ', note: 'both' },
  { label: 'OR', text: 'OR ', note: 'either' },
];

/** Words of the language, for the beginning of a condition. */
export function wordsFor(prefix: string): readonly Suggestion[] {
  const wanted = prefix.toLowerCase();
  const ofKeywords = (Object.keys(keywords) as Keyword[])
    .filter((keyword) => keywordKind(keyword).scopes.includes('trace'))
    .map((keyword): Suggestion => {
      const { type } = keywordKind(keyword);
      const text = type === 'boolean' ? keyword : `${keyword} ${type === 'number' ? '>= ' : '= "'}`;
      return { label: keyword, text, note: notes[type] };
    });
  return [...ofKeywords, ...functions].filter(
    ({ text }) => text.toLowerCase().startsWith(wanted) && text.toLowerCase() !== wanted,
  );
}

const notes = { boolean: 'yes or no', number: 'a number', text: 'text', group: 'a group' } as const;

/** The text with the suggestion in place, and where the cursor then stands. */
export function apply(
  text: string,
  { completing, suggestion, cursor }: { completing: Completing; suggestion: Suggestion; cursor: number },
): { readonly text: string; readonly cursor: number } {
  const before = text.slice(0, completing.from) + suggestion.text;
  // A quote that closes what is replaced goes with it.
  const rest = completing.kind === 'value' ? text.slice(cursor).replace(/^"/, '') : text.slice(cursor);
  return { text: before + rest, cursor: before.length };
}
