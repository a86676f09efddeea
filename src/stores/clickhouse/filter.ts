/**
 * A filter in SQL: the same answers as `matches` of the query room, without reading a trace.
 *
 * As there, each term asks a subject (the trace, one segment, one call, one element of a root cause)
 * for values and compares them. A subject with several of a kind is a group of parallel arrays, and
 * "some of them" is arrayExists over those arrays that the condition speaks of. A lambda refers to
 * nothing but its arguments and constants: an array from outside would be copied for each element,
 * and a query would take segments times attributes. So what the attributes say of a segment is worked
 * out before the lambda, as one more parallel array (see `isMarked`).
 *
 * Conditions that only repeat others, `has(…)` beside arrayExists, are there for the skip indexes.
 */
import { RaybridgeError } from '../../errors.ts';
import type { Comparison, Filter, Groups, JsonPattern, Keyword, NodeReference } from '../../query/index.ts';
import { groupOf } from '../../query/index.ts';
import {
  and,
  type Binder,
  contains,
  createBinder,
  createElement,
  type Element,
  no,
  not,
  or,
  someOf,
  type Sql,
  yes,
} from './condition.ts';
import {
  annotationValues,
  attributeArrays,
  callAnnotationArrays,
  compare,
  knownText,
  noValues,
  numberList,
  numberValue,
  searchFor,
  textList,
  textValue,
  truthValue,
  type Values,
} from './filter-values.ts';
import type { Condition } from './find-traces.ts';

/** Of the engine: the text of a query, and its parameters, which travel in the URL. One expression alone needs less. */
const conditionCharactersMax = 250_000;
const parametersMax = 950;
const parameterBytesMax = 500_000;

/**
 * The condition that holds for the digests which the filter matches.
 * @param filter as the parser makes it: each comparison fits its keyword.
 * @throws RaybridgeError FILTER_INVALID when the groups that it names make it too long.
 */
export function compileFilter(filter: Filter, groups: Groups): Condition {
  const binder = createBinder();
  const condition = compile(filter, createTrace(binder, groups), binder);
  const { parameters } = binder;
  const bound = Object.values(parameters);
  const bytes = bound.reduce<number>((sum, value) => sum + encodeURIComponent(String(value)).length, 0);
  if (condition.length <= conditionCharactersMax && bound.length <= parametersMax && bytes <= parameterBytesMax) {
    return { condition, parameters };
  }
  throw new RaybridgeError(
    'FILTER_INVALID',
    'Invalid filter expression: it is too long together with the expressions of the groups that it names, at position 1',
  );
}

/** What a term may ask of the thing it stands for. */
interface Subject {
  values(keyword: Keyword): Values;
  annotation(key: string): Values;
  /** Terms that speak of the whole trace. */
  term(term: TraceTerm): Sql;
}

type TraceTerm =
  | Extract<Filter, { readonly kind: 'service' | 'edge' | 'rootcause' | 'rootcause.json' }>
  | { readonly kind: 'group'; readonly keyword: 'group.name' | 'group.arn'; readonly comparison: Comparison };

function compile(filter: Filter, subject: Subject, binder: Binder): Sql {
  switch (filter.kind) {
    case 'and':
      return and(filter.terms.map((term) => compile(term, subject, binder)));
    case 'or':
      return or(filter.terms.map((term) => compile(term, subject, binder)));
    case 'not':
      return not(compile(filter.term, subject, binder));
    case 'keyword':
      return compileKeyword(filter, subject, binder);
    case 'annotation':
      return compare(subject.annotation(filter.key), filter.comparison, binder);
    case 'service':
    case 'edge':
    case 'rootcause':
    case 'rootcause.json':
      return subject.term(filter);
  }
}

function compileKeyword(
  { keyword, comparison }: Extract<Filter, { readonly kind: 'keyword' }>,
  subject: Subject,
  binder: Binder,
): Sql {
  if (keyword !== 'group.name' && keyword !== 'group.arn') return compare(subject.values(keyword), comparison, binder);
  return comparison ? subject.term({ kind: 'group', keyword, comparison }) : no;
}

function createTrace(binder: Binder, groups: Groups): Subject {
  return {
    values: (keyword) => traceValues(keyword, binder),
    annotation: (key) => annotationOfTrace(key, binder),
    term: (term) => compileTraceTerm(term, groups, binder),
  };
}

function traceValues(keyword: Keyword, binder: Binder): Values {
  switch (keyword) {
    case 'ok':
      return truthValue('not(or(fault, error, throttle))');
    case 'error':
    case 'throttle':
    case 'fault':
    case 'partial':
    case 'inferred':
      return truthValue(keyword);
    case 'responsetime':
      return numberList('response_time');
    case 'duration':
      return numberValue('duration', yes);
    case 'http.status':
      return numberList('http_status');
    case 'http.url':
      return textList('http_url', binder);
    case 'http.method':
      return textList('http_method', binder);
    case 'http.useragent':
      return textList('http_user_agent', binder);
    case 'http.clientip':
      return textList('http_client_ip', binder);
    case 'user':
      return textList('users', binder);
    case 'availabilityzone':
      return textList('availability_zones', binder);
    case 'instance.id':
      return textList('instance_ids', binder);
    case 'resource.arn':
      return textList('resource_arns', binder);
    case 'account.id':
      return textList('account_ids', binder);
    default:
      return noValues;
  }
}

function annotationOfTrace(key: string, binder: Binder): Values {
  const { array, keys } = searchFor(key, attributeArrays);
  const values = annotationValues(key, attributeArrays, binder, (condition) => {
    const element = createElement(array);
    return element.exists(condition(element));
  });
  return {
    ...values,
    hasText(text) {
      // As the skip indexes have it; for them alone, since joining key and text of each attribute costs more than both tests.
      const pairs = `arrayMap((k, v) -> concat(k, '=', v), ${array}, attribute_text)`;
      const wanted = keys.map(
        (one) => `indexHint(has(${pairs}, concat(${binder.text(one)}, '=', ${binder.text(text)})))`,
      );
      return and([or(wanted), values.hasText(text)]);
    },
  };
}

function compileTraceTerm(term: TraceTerm, groups: Groups, binder: Binder): Sql {
  switch (term.kind) {
    case 'service':
      return compileService(term, binder);
    case 'edge':
      return compileEdge(term, binder);
    case 'rootcause':
      return compileRootCause(term, binder);
    case 'rootcause.json':
      return and(term.patterns.map((pattern) => compilePattern(pattern, binder)));
    case 'group': {
      const group = groupOf(term, groups);
      if (!group) return no;
      const condition = compile(group, createTrace(binder, noGroups), binder);
      return term.comparison.operator === '=' ? condition : not(condition);
    }
  }
}

/** The expression of a group cannot name groups in its turn. */
const noGroups: Groups = new Map();

/** The parallel arrays that name services. */
interface ServiceArrays {
  readonly name: Sql;
  readonly type: Sql;
  readonly accountId: Sql;
}

function serviceArrays(prefix: 'service' | 'segment' | 'call_from' | 'call_to'): ServiceArrays {
  return { name: `${prefix}_name`, type: `${prefix}_type`, accountId: `${prefix}_account` };
}

function isReferred(
  element: Element,
  arrays: ServiceArrays,
  { reference, binder }: { readonly reference: NodeReference | undefined; readonly binder: Binder },
): Sql {
  const members = ['name', 'type', 'accountId'] as const;
  return and(
    members.flatMap((member) => {
      const wanted = reference?.[member];
      return wanted === undefined ? [] : [`${element.of(arrays[member])} = ${binder.text(wanted)}`];
    }),
  );
}

/** Every service that a segment or call names is one of the trace's, whose names have an index. */
function passesThrough(reference: NodeReference | undefined, binder: Binder): Sql {
  return reference?.name === undefined ? yes : contains('service_name', reference.name, binder);
}

function compileService(
  { node: reference, block }: Extract<Filter, { readonly kind: 'service' }>,
  binder: Binder,
): Sql {
  const arrays = serviceArrays(block ? 'segment' : 'service');
  const element = createElement(arrays.name);
  const referred = isReferred(element, arrays, { reference, binder });
  const condition = block ? compile(block, createSegment(element, binder), binder) : yes;
  return and([passesThrough(reference, binder), element.exists(and([referred, condition]))]);
}

function compileEdge({ from, to, block }: Extract<Filter, { readonly kind: 'edge' }>, binder: Binder): Sql {
  const callers = serviceArrays('call_from');
  const element = createElement(callers.name);
  const referred = [
    isReferred(element, callers, { reference: from, binder }),
    isReferred(element, serviceArrays('call_to'), { reference: to, binder }),
  ];
  const condition = block ? compile(block, createCall(element, binder), binder) : yes;
  return and([passesThrough(from, binder), passesThrough(to, binder), element.exists(and([...referred, condition]))]);
}

function createSegment(element: Element, binder: Binder): Subject {
  return {
    values: (keyword) => segmentValues(keyword, element, binder),
    annotation: (key) =>
      annotationValues(key, attributeArrays, binder, (condition) =>
        isMarked(element, { marks: 'attribute_segment', owners: 'segment_name', condition }),
      ),
    term: () => no,
  };
}

function createCall(element: Element, binder: Binder): Subject {
  const arrays = { flags: 'call_flags', startNs: 'call_start_ns', endNs: 'call_end_ns' };
  return {
    values: (keyword) => requestValues(keyword, element, arrays),
    annotation: (key) =>
      annotationValues(key, callAnnotationArrays, binder, (condition) =>
        isMarked(element, { marks: 'call_annotation_call', owners: 'call_from_name', condition }),
      ),
    term: () => no,
  };
}

interface Marks {
  /** For each keyed value the index of its owner. */
  readonly marks: Sql;
  /** Some array that is parallel to the owners. */
  readonly owners: Sql;
  /** Of a keyed value. */
  readonly condition: (element: Element) => Sql;
}

/**
 * Whether some keyed value of this owner satisfies the condition. The owners of all that do, followed
 * by every owner once, are numbered by occurrence. In the second part, which becomes one more array
 * beside the owners, those that occurred before have a number above 1. That takes the sum of both
 * lengths.
 */
function isMarked(owner: Element, { marks, owners, condition }: Marks): Sql {
  const element = createElement(marks);
  const holds = condition(element);
  if (holds === no) return no;
  const numbers = `arrayEnumerateUniq(arrayConcat(${element.filter(holds)}, range(length(${owners}))))`;
  return `${owner.of(`arraySlice(${numbers}, -length(${owners}))`)} > 1`;
}

function segmentValues(keyword: Keyword, element: Element, binder: Binder): Values {
  switch (keyword) {
    case 'partial':
      return truthValue(flag(element, 'segment_flags', 3));
    case 'inferred':
      return truthValue(flag(element, 'segment_flags', 4));
    case 'root':
      return truthValue(flag(element, 'segment_flags', 5));
    case 'duration':
      return numberValue(`${element.of('segment_duration_ms')} / 1000`, hasEnded(element.of('segment_end_ns')));
    case 'name':
      return textValue(element.of('segment_name'), yes, binder);
    case 'type':
      return knownText(element.of('segment_type'), binder);
    default:
      return requestValues(keyword, element, {
        flags: 'segment_flags',
        startNs: 'segment_start_ns',
        endNs: 'segment_end_ns',
      });
  }
}

/** The parallel arrays of requests as somebody measured them. */
interface RequestArrays {
  readonly flags: Sql;
  readonly startNs: Sql;
  readonly endNs: Sql;
}

function requestValues(keyword: Keyword, element: Element, { flags, startNs, endNs }: RequestArrays): Values {
  switch (keyword) {
    case 'ok':
      return truthValue(`bitAnd(${element.of(flags)}, 7) = 0`);
    case 'fault':
      return truthValue(flag(element, flags, 0));
    case 'error':
      return truthValue(flag(element, flags, 1));
    case 'throttle':
      return truthValue(flag(element, flags, 2));
    case 'responsetime':
      return numberValue(secondsBetween(element.of(startNs), element.of(endNs)), hasEnded(element.of(endNs)));
    default:
      return noValues;
  }
}

function flag(element: Element, flags: Sql, bit: number): Sql {
  return `bitTest(${element.of(flags)}, ${bit})`;
}

/** The end of a request in progress is 0. */
function hasEnded(endNs: Sql): Sql {
  return `${endNs} != 0`;
}

/** As in the query room: rounded to milliseconds, and 0 when the clock ran backwards. */
function secondsBetween(startNs: Sql, endNs: Sql): Sql {
  // The engine takes a difference for signed.
  const tookNs = `toUInt64(${endNs} - ${startNs})`;
  const milliseconds = `intDiv(${tookNs}, 1000000) + intDiv(${tookNs} % 1000000, 500000)`;
  return `if(${endNs} > ${startNs}, ${milliseconds}, 0) / 1000`;
}

const causeNumbers = { fault: 0, error: 1, responsetime: 2 } as const;
const elementNumbers = { service: 0, entity: 1, exception: 2 } as const;

function compileRootCause(
  { cause, element: kind, block }: Extract<Filter, { readonly kind: 'rootcause' }>,
  binder: Binder,
): Sql {
  const number = 3 * causeNumbers[cause] + elementNumbers[kind];
  const element = createElement('cause_kind');
  const condition = block ? compile(block, createCauseElement(element, binder), binder) : yes;
  return element.exists(and([`${element.of('cause_kind')} = ${number}`, condition]));
}

function createCauseElement(element: Element, binder: Binder): Subject {
  return {
    values: (keyword) => causeValues(keyword, element, binder),
    annotation: () => noValues,
    term: () => no,
  };
}

function causeValues(keyword: Keyword, element: Element, binder: Binder): Values {
  switch (keyword) {
    case 'first':
      return truthValue(`${element.of('cause_index')} = 0`);
    case 'last':
      return truthValue(element.of('cause_last'));
    case 'index':
      return numberValue(element.of('cause_index'), yes);
    case 'name':
      return textValue(element.of('cause_name'), yes, binder);
    case 'type':
      return knownText(element.of('cause_type'), binder);
    case 'message':
      return textValue(element.of('cause_message'), yes, binder);
    case 'inferred':
      return truthValue(element.of('cause_inferred'));
    case 'remote':
      return truthValue(element.of('cause_remote'));
    case 'coverage':
      return numberValue(element.of('cause_coverage'), `not(isNaN(${element.of('cause_coverage')}))`);
    default:
      return noValues;
  }
}

function compilePattern(pattern: JsonPattern, binder: Binder): Sql {
  return someOf('causes', (rootCause) => fits([rootCause], pattern, binder));
}

/** @param path the arguments of a JSON function that lead to the value: the text, then members and positions. */
function fits(path: readonly Sql[], pattern: JsonPattern, binder: Binder): Sql {
  const place = path.join(', ');
  switch (typeof pattern) {
    case 'string':
      return and([`JSONType(${place}) = 'String'`, `JSONExtractString(${place}) = ${binder.text(pattern)}`]);
    case 'number':
      return and([
        `JSONType(${place}) IN ('Int64', 'UInt64', 'Double')`,
        `JSONExtractFloat(${place}) = ${binder.number(pattern)}`,
      ]);
    case 'boolean':
      return and([`JSONType(${place}) = 'Bool'`, `JSONExtractBool(${place}) = ${pattern ? yes : no}`]);
    case 'object':
      return fitsParts(path, pattern, binder);
  }
}

/** No root cause holds null: what is unknown is absent. */
function fitsParts(path: readonly Sql[], pattern: Extract<JsonPattern, object> | null, binder: Binder): Sql {
  const place = path.join(', ');
  if (pattern === null) return no;
  if (isList(pattern)) {
    return and([
      `JSONType(${place}) = 'Array'`,
      `JSONLength(${place}) = ${pattern.length}`,
      ...pattern.map((element, index) => fits([...path, String(index + 1)], element, binder)),
    ]);
  }
  return and([
    `JSONType(${place}) = 'Object'`,
    ...Object.entries(pattern).map(([member, wanted]) => fits([...path, binder.text(member)], wanted, binder)),
  ]);
}

/** Array.isArray does not know readonly lists. */
function isList(pattern: Extract<JsonPattern, object>): pattern is readonly JsonPattern[] {
  return Array.isArray(pattern);
}
