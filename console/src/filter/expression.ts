import { parseFilter, printFilter } from '../../../src/query/index.ts';
import type { Filter } from '../../../src/query/index.ts';
import type { Outcome } from '../outcome/outcome.ts';

/** A node of the service graph as filter expressions name it. */
export interface NodeName {
  readonly name: string;
  readonly type: string | undefined;
  readonly accountId: string | undefined;
}

/** `service(id(name: "carts", type: "AWS::DynamoDB::Table")) { fault }`: the traces that went through a node. */
export function serviceFilter({ name, type, accountId }: NodeName, block?: Filter): string {
  return printFilter({ kind: 'service', node: { name, type, accountId }, block });
}

/** `edge(id(…), id(…)) { responsetime > 0.2 }`: the traces with a call between two nodes. */
export function edgeFilter(from: NodeName, to: NodeName, block?: Filter): string {
  return printFilter({ kind: 'edge', from, to, block });
}

/** The condition inside a block that picks requests of one outcome, each request by its most severe flag. */
export function outcomeCondition(outcome: Outcome): Filter {
  if (outcome === 'ok' || outcome === 'fault') return is(outcome);
  return {
    kind: 'and',
    terms: outcome === 'throttle' ? [is('throttle'), isNot('fault')] : [is('error'), isNot('throttle'), isNot('fault')],
  };
}

/** Seconds, both ends included. */
export function responseTimeCondition({ from, to }: { readonly from: number; readonly to: number }): Filter {
  return {
    kind: 'and',
    terms: [
      { kind: 'keyword', keyword: 'responsetime', comparison: { operator: '>=', value: from } },
      { kind: 'keyword', keyword: 'responsetime', comparison: { operator: '<=', value: to } },
    ],
  };
}

/** `annotation.tenant = "acme"`. */
export function annotationFilter(key: string, value: string | number | boolean): string {
  return printFilter({ kind: 'annotation', key, comparison: { operator: '=', value } });
}

/** Both must hold. An expression that cannot be read is replaced, because nothing can be added to it. */
export function both(left: string, right: string): string {
  const terms = [readFilter(left), readFilter(right)].flatMap((filter) =>
    filter?.kind === 'and' ? filter.terms : filter ? [filter] : [],
  );
  const [only, ...others] = terms;
  if (!only) return right;
  return others.length === 0 ? printFilter(only) : printFilter({ kind: 'and', terms });
}

/** The expression without each of the conditions that it joins with AND: what to try when nothing matches. */
export function withoutEach(expression: string): readonly { readonly dropped: string; readonly rest: string }[] {
  const filter = readFilter(expression);
  if (filter?.kind !== 'and') return [];
  return filter.terms.map((term) => {
    const others = filter.terms.filter((other) => other !== term);
    const [only] = others;
    return {
      dropped: printFilter(term),
      rest: printFilter(others.length === 1 && only ? only : { kind: 'and', terms: others }),
    };
  });
}

function readFilter(expression: string): Filter | undefined {
  try {
    return parseFilter(expression);
  } catch {
    return undefined;
  }
}

function is(keyword: 'ok' | 'error' | 'throttle' | 'fault'): Filter {
  return { kind: 'keyword', keyword, comparison: undefined };
}

function isNot(keyword: 'throttle' | 'fault'): Filter {
  return { kind: 'not', term: is(keyword) };
}
