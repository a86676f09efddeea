import type { Comparison, Filter, NodeReference } from './tree.ts';

/** The expression of a filter, in one canonical form: `parseFilter(printFilter(f))` equals `f`. */
export function printFilter(filter: Filter): string {
  switch (filter.kind) {
    case 'or':
      return filter.terms.map((term) => printTerm(term, ['or'])).join(' OR ');
    case 'and':
      return filter.terms.map((term) => printTerm(term, ['or', 'and'])).join(' AND ');
    case 'not':
      return `!${printTerm(filter.term, ['or', 'and'])}`;
    case 'keyword':
      return `${filter.keyword}${printComparison(filter.comparison)}`;
    case 'annotation':
      return `${printAnnotationKey(filter.key)}${printComparison(filter.comparison)}`;
    case 'service':
      return `service(${printNode(filter.node)})${printBlock(filter.block)}`;
    case 'edge':
      return `edge(${printNode(filter.from)}, ${printNode(filter.to)})${printBlock(filter.block)}`;
    case 'rootcause':
      return `rootcause.${filter.cause}.${filter.element}${printBlock(filter.block)}`;
    case 'rootcause.json':
      return `rootcause.json = #${JSON.stringify(filter.patterns)}`;
  }
}

/** In parentheses when it is of a kind that would otherwise melt into its surroundings. */
function printTerm(term: Filter, enclosed: readonly Filter['kind'][]): string {
  return enclosed.includes(term.kind) ? `(${printFilter(term)})` : printFilter(term);
}

function printBlock(block: Filter | undefined): string {
  return block ? ` { ${printFilter(block)} }` : '';
}

function printNode(node: NodeReference | undefined): string {
  if (!node) return '';
  const { name, type, accountId } = node;
  if (name !== undefined && type === undefined && accountId === undefined) return printText(name);
  const members = [
    ['name', name],
    ['type', type],
    ['account.id', accountId],
  ] as const;
  const given = members.flatMap(([member, value]) => (value === undefined ? [] : [`${member}: ${printText(value)}`]));
  return `id(${given.join(', ')})`;
}

function printAnnotationKey(key: string): string {
  if (/^[\p{L}\p{N}_]+$/u.test(key)) return `annotation.${key}`;
  const bare = !/["\]]/.test(key) && key.trim() === key;
  return `annotation[${bare ? key : printText(key)}]`;
}

function printComparison(comparison: Comparison | undefined): string {
  if (!comparison) return '';
  const { operator, value } = comparison;
  return ` ${operator} ${typeof value === 'string' ? printText(value) : value}`;
}

/** A text with its quotes. */
export function printText(text: string): string {
  return `"${text.replaceAll(/["\\]/g, '\\$&')}"`;
}
