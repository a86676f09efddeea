import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback } from 'react';

/** Everything that decides what a page shows; it stands in the address, so that a copied address shows the same. */
export interface PageSearch {
  /** Filter expression. */
  readonly q?: string | undefined;
  /** Time range, see range/range.ts. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  /** `off` stops the refreshing. */
  readonly live?: string | undefined;
  /** Which view of a page: `list` on the map; `groups` of the traces; `map`, `raw` on a trace. */
  readonly view?: string | undefined;
  /** Id of the chosen segment or subsegment. */
  readonly span?: string | undefined;
  /** Tab of the details. */
  readonly tab?: string | undefined;
  /** `hide` leaves out the rows that X-Ray infers. */
  readonly inferred?: string | undefined;
  /** `heatmap`, `scatter`, `table`, `off`: how response times are drawn; as a histogram when absent. */
  readonly chart?: string | undefined;
  /** What is chosen in that chart, see explore/selection.ts. */
  readonly brush?: string | undefined;
  /** What traces are grouped by, see explore/facets.ts. */
  readonly by?: string | undefined;
  /** Ids of two traces to compare; `b` may be `normal`. */
  readonly a?: string | undefined;
  readonly b?: string | undefined;
  /** `self` sorts what is compared by the difference. */
  readonly sort?: string | undefined;
  /** `open` shows what the doctor found. */
  readonly doctor?: string | undefined;
  /** Id of the trace that is asked about on a page of something else. */
  readonly trace?: string | undefined;
  /** Start of the minute that the map replays; epoch seconds. */
  readonly at?: string | undefined;
  /** Keys of folded nodes of the map that are opened, one a line. */
  readonly open?: string | undefined;
  /** Key of the chosen node or edge of the map, name of the chosen rule or group. */
  readonly select?: string | undefined;
}

const names = [
  'q',
  'from',
  'to',
  'live',
  'view',
  'span',
  'tab',
  'inferred',
  'doctor',
  'chart',
  'brush',
  'by',
  'a',
  'b',
  'sort',
  'at',
  'open',
  'select',
  'trace',
] as const satisfies readonly (keyof PageSearch)[];

export function readSearch(words: Readonly<Record<string, unknown>>): PageSearch {
  return Object.fromEntries(
    names.flatMap((name) => (typeof words[name] === 'string' && words[name] ? [[name, words[name]]] : [])),
  );
}

/** `?from=-1h&q=fault`: plain text for every value, nothing for an empty one. */
export function printSearch(search: Readonly<Record<string, unknown>>): string {
  const words = new URLSearchParams();
  for (const name of names) {
    const value = search[name];
    if (typeof value === 'string' && value) words.set(name, value);
  }
  const text = words.toString();
  return text ? `?${text}` : '';
}

/** What every page keeps when one goes to another: the question and its time. */
export function keepQuestion({ q, from, to }: PageSearch): PageSearch {
  return { q, from, to };
}

export function usePageSearch(): PageSearch {
  return useSearch({ from: '__root__' });
}

/** Changes some of the words. A choice that one would not want to step back through replaces the entry in the history. */
export function useChangeSearch(): (change: PageSearch, options?: { readonly replace?: boolean }) => void {
  const navigate = useNavigate();
  return useCallback(
    (change, { replace = false } = {}) => {
      void navigate({ to: '.', search: (before) => ({ ...before, ...change }), replace });
    },
    [navigate],
  );
}
