import type { WaterfallRow } from './rows.ts';

/** Places of the rows in whose name, detail or document all words occur, in any case. */
export function findMatches(rows: readonly WaterfallRow[], text: string): readonly number[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return [];
  return rows.flatMap(({ node }, at) => {
    const { subsegments: _, ...own } = node.document;
    const searched = `${node.name} ${node.detail} ${JSON.stringify(own)}`.toLowerCase();
    return words.every((word) => searched.includes(word)) ? [at] : [];
  });
}
