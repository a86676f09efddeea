/**
 * A filter asked about one trace. Every term reads values of a subject (the trace, one segment, one
 * call, one element of a root cause path) and compares them, so that single and many values,
 * set and not set, follow the same three rules: see `compare`. A store that answers in SQL must
 * give the same answers.
 */
import { keywordKey } from '../../model/index.ts';
import type {
  AttributeValueDigest,
  RequestDigest,
  RootCause,
  RootCauseEntity,
  RootCauseService,
  SearchedValue,
  SegmentDigest,
  ServiceName,
  TraceDigest,
  TraceSummary,
} from '../../model/index.ts';
import { toRootCauseAnswers } from '../answers.ts';
import { secondsBetween } from '../durations.ts';
import type {
  Comparison,
  Filter,
  JsonPattern,
  Keyword,
  NodeReference,
  RootCauseElement,
  RootCauseKind,
} from './tree.ts';

/** Groups by name, for `group.name` and `group.arn`. */
export type Groups = ReadonlyMap<string, Filter>;

const noGroups: Groups = new Map();

/**
 * Whether the trace satisfies the filter. A term about a group that `groups` does not hold is false;
 * the expression of a group cannot name groups in its turn. Takes time in proportion to the length
 * of the filter and to the size of the digest.
 */
export function matches(filter: Filter, digest: TraceDigest, groups: Groups = noGroups): boolean {
  return traceHolds(filter, createSearched(digest), groups);
}

function traceHolds(filter: Filter, searched: Searched, groups: Groups): boolean {
  return holds(filter, {
    values: (keyword) => traceValues(keyword, searched.digest),
    annotation: (key) => searched.find(searched.digest.attributes, key),
    term: (term) => traceTermHolds(term, searched, groups),
  });
}

/**
 * A digest with what a filter asks of it again and again. A filter may have a thousand terms and a
 * trace thousands of attributes, so each view is made once, when the first term needs it.
 */
interface Searched {
  readonly digest: TraceDigest;
  /** Values of a key among the attributes, which are a list of the digest or one that `attributesOf` gave. */
  find(attributes: readonly AttributeValueDigest[], key: string): readonly Value[];
  attributesOf(segment: number): readonly AttributeValueDigest[];
  /** Each root cause as the list of its elements. */
  paths(cause: RootCauseKind, element: RootCauseElement): readonly (readonly Element[])[];
  rootCauseAnswers(): readonly unknown[];
}

function createSearched(digest: TraceDigest): Searched {
  const indexOf = remember(indexAttributes);
  const bySegment = remember(({ attributes }: TraceDigest) => groupBy(attributes, ({ segment }) => segment));
  const pathsOf = remember((cause: RootCauseKind) =>
    remember((element: RootCauseElement) =>
      rootCausesOf(cause, digest.summary).map((rootCause) => elementsOf(element, rootCause)),
    ),
  );
  const answersOf = remember(({ summary }: TraceDigest) => Object.values(toRootCauseAnswers(summary)).flat());
  return {
    digest,
    find: (list, key) => indexOf(list)(key),
    attributesOf: (segment) => bySegment(digest).get(segment) ?? none,
    paths: (cause, element) => pathsOf(cause)(element),
    rootCauseAnswers: () => answersOf(digest),
  };
}

const none: readonly AttributeValueDigest[] = [];

/** The function, which computes nothing twice. */
function remember<Key, Result>(compute: (key: Key) => Result): (key: Key) => Result {
  const known = new Map<Key, Result>();
  return (key) => {
    if (!known.has(key)) known.set(key, compute(key));
    // It was set above, so undefined is a result.
    return known.get(key) as Result;
  };
}

/**
 * Under a key stands what has it; under the key as a keyword can spell it, what comes to that
 * spelling too: `user_id` finds `user.id`, and `user.id` finds `user_id`.
 */
function indexAttributes(attributes: readonly AttributeValueDigest[]): (key: string) => readonly Value[] {
  const byKey = groupBy(attributes, ({ key }) => key);
  const byKeyword = groupBy(attributes, ({ key }) => keywordKey(key));
  return (key) => {
    const keyword = keywordKey(key);
    const found = key === keyword ? [byKeyword.get(key)] : [byKey.get(key), byKey.get(keyword)];
    return found.flatMap((list = none) => list.map(({ value }) => value));
  };
}

function groupBy<Key, Item>(items: readonly Item[], keyOf: (item: Item) => Key): ReadonlyMap<Key, readonly Item[]> {
  const groups = new Map<Key, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    const known = groups.get(key);
    if (known) known.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}

type Value = Comparison['value'];

/** What a term may ask of the thing it stands for. */
interface Subject {
  /** Empty when the keyword is not set, one element for most, several for such as `user`. */
  values(keyword: Keyword): readonly Value[];
  annotation(key: string): readonly Value[];
  /** Terms that speak of the whole trace. */
  term(term: TraceTerm): boolean;
}

type TraceTerm =
  | Extract<Filter, { readonly kind: 'service' | 'edge' | 'rootcause' | 'rootcause.json' }>
  | (GroupTerm & { readonly kind: 'group' });

interface GroupTerm {
  readonly keyword: 'group.name' | 'group.arn';
  readonly comparison: Comparison;
}

function holds(filter: Filter, subject: Subject): boolean {
  switch (filter.kind) {
    case 'and':
      return filter.terms.every((term) => holds(term, subject));
    case 'or':
      return filter.terms.some((term) => holds(term, subject));
    case 'not':
      return !holds(filter.term, subject);
    case 'keyword':
      return keywordHolds(filter, subject);
    case 'annotation':
      return compare(subject.annotation(filter.key), filter.comparison);
    case 'service':
    case 'edge':
    case 'rootcause':
    case 'rootcause.json':
      return subject.term(filter);
  }
}

function keywordHolds(
  { keyword, comparison }: Extract<Filter, { readonly kind: 'keyword' }>,
  subject: Subject,
): boolean {
  if (keyword !== 'group.name' && keyword !== 'group.arn') return compare(subject.values(keyword), comparison);
  return comparison !== undefined && subject.term({ kind: 'group', keyword, comparison });
}

/**
 * Without comparison: some value is set and not false. `!=`: some value is set and none is equal.
 * Every other operator: some value satisfies it.
 */
function compare(values: readonly Value[], comparison: Comparison | undefined): boolean {
  if (!comparison) return values.some((value) => value !== false);
  const { operator, value: wanted } = comparison;
  if (operator === '!=') return values.length > 0 && !values.some((value) => equals(value, wanted));
  return values.some((value) => satisfies(value, operator, wanted));
}

function satisfies(value: Value, operator: Exclude<Comparison['operator'], '!='>, wanted: Value): boolean {
  switch (operator) {
    case '=':
      return equals(value, wanted);
    case '<':
      return searchedNumber(value) < searchedNumber(wanted);
    case '<=':
      return searchedNumber(value) <= searchedNumber(wanted);
    case '>':
      return searchedNumber(value) > searchedNumber(wanted);
    case '>=':
      return searchedNumber(value) >= searchedNumber(wanted);
    case 'CONTAINS':
      return String(value).includes(String(wanted));
    case 'BEGINSWITH':
      return String(value).startsWith(String(wanted));
    case 'ENDSWITH':
      return String(value).endsWith(String(wanted));
  }
}

/** Annotations are untyped for those who write them: a number also equals its text, and so does a boolean. */
function equals(value: Value, wanted: Value): boolean {
  return typeof wanted === 'number' ? searchedNumber(value) === wanted : String(value) === String(wanted);
}

/** What the value counts as where a number is asked for: NaN, which compares false with everything, for what is none. */
export function searchedNumber(value: SearchedValue): number {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && value.trim() !== '' ? Number(value) : NaN;
}

function traceValues(keyword: Keyword, { summary, inferred, accountIds }: TraceDigest): readonly Value[] {
  const { http } = summary;
  switch (keyword) {
    case 'ok':
      return [!summary.fault && !summary.error && !summary.throttle];
    case 'error':
      return [summary.error];
    case 'throttle':
      return [summary.throttle];
    case 'fault':
      return [summary.fault];
    case 'partial':
      return [summary.partial];
    case 'inferred':
      return [inferred];
    case 'responsetime':
      return present(summary.responseTime);
    case 'duration':
      return [summary.duration];
    case 'http.status':
      return present(http.status);
    case 'http.url':
      return present(http.url);
    case 'http.method':
      return present(http.method);
    case 'http.useragent':
      return present(http.userAgent);
    case 'http.clientip':
      return present(http.clientIp);
    case 'user':
      return summary.users.map(({ user }) => user);
    case 'availabilityzone':
      return summary.availabilityZones;
    case 'instance.id':
      return summary.instanceIds;
    case 'resource.arn':
      return summary.resourceArns;
    case 'account.id':
      return accountIds;
    default:
      // The parser lets no other keyword stand outside of braces.
      return [];
  }
}

function present<Kind extends Value>(value: Kind | undefined): readonly Kind[] {
  return value === undefined ? [] : [value];
}

function traceTermHolds(term: TraceTerm, searched: Searched, groups: Groups): boolean {
  switch (term.kind) {
    case 'service':
      return serviceHolds(term, searched);
    case 'edge':
      return edgeHolds(term, searched);
    case 'rootcause':
      return rootCauseHolds(term, searched);
    case 'rootcause.json':
      return term.patterns.every((pattern) => searched.rootCauseAnswers().some((answer) => fits(answer, pattern)));
    case 'group': {
      const group = groupOf(term, groups);
      return group !== undefined && traceHolds(group, searched, noGroups) === (term.comparison.operator === '=');
    }
  }
}

/** The filter of the group that a term names, by its name or its ARN; undefined when nobody defined it. */
export function groupOf({ keyword, comparison }: GroupTerm, groups: Groups): Filter | undefined {
  return groups.get(groupName(keyword, String(comparison.value)));
}

/** A group's ARN ends in `group/<name>/<unique id>`, that of the default group without the id. */
function groupName(keyword: 'group.name' | 'group.arn', text: string): string {
  return keyword === 'group.name' ? text : (text.split(':group/')[1]?.split('/')[0] ?? '');
}

/** Without a block the client nodes count too; a block is asked of segments, and a client has none. */
function serviceHolds(
  { node, block }: Extract<Filter, { readonly kind: 'service' }>,
  { digest, find, attributesOf }: Searched,
): boolean {
  if (!block) return digest.summary.services.some((service) => isReferred(service, node));
  return digest.segments.some(
    (segment, index) =>
      isReferred(segment.service, node) &&
      holds(block, {
        values: (keyword) => segmentValues(keyword, segment),
        annotation: (key) => find(attributesOf(index), key),
        term: refuseTerm,
      }),
  );
}

function edgeHolds(
  { from, to, block }: Extract<Filter, { readonly kind: 'edge' }>,
  { digest, find }: Searched,
): boolean {
  return digest.calls.some(
    (call) =>
      isReferred(call.from, from) &&
      isReferred(call.to, to) &&
      (!block ||
        holds(block, {
          values: (keyword) => requestValues(keyword, call),
          annotation: (key) => find(call.annotations, key),
          term: refuseTerm,
        })),
  );
}

/** A type or account that is not known is the empty text. */
export function isReferred(service: ServiceName, reference: NodeReference | undefined): boolean {
  if (!reference) return true;
  const { name, type, accountId } = reference;
  return (
    (name === undefined || name === service.name) &&
    (type === undefined || type === (service.type ?? '')) &&
    (accountId === undefined || accountId === (service.accountId ?? ''))
  );
}

/** A type that is not known is the same as an empty one, so neither is set. */
function knownText(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}

function segmentValues(keyword: Keyword, segment: SegmentDigest): readonly Value[] {
  switch (keyword) {
    case 'partial':
      return [segment.partial];
    case 'inferred':
      return [segment.inferred];
    case 'root':
      return [segment.root];
    case 'duration':
      return segment.endTimeNs === undefined ? [] : [segment.durationMs / 1000];
    case 'name':
      return [segment.service.name];
    case 'type':
      return present(knownText(segment.service.type));
    default:
      return requestValues(keyword, segment);
  }
}

function requestValues(keyword: Keyword, request: RequestDigest): readonly Value[] {
  switch (keyword) {
    case 'ok':
      return [!request.fault && !request.error && !request.throttle];
    case 'error':
      return [request.error];
    case 'throttle':
      return [request.throttle];
    case 'fault':
      return [request.fault];
    case 'responsetime':
      return request.endTimeNs === undefined ? [] : [secondsBetween(request.startTimeNs, request.endTimeNs)];
    default:
      return [];
  }
}

type RootCauseTerm = Extract<Filter, { readonly kind: 'rootcause' }>;

function rootCauseHolds({ cause, element, block }: RootCauseTerm, { paths }: Searched): boolean {
  return paths(cause, element).some((elements) =>
    elements.some((_, index) => !block || holds(block, elementSubject(elements, index))),
  );
}

function rootCausesOf(cause: RootCauseKind, summary: TraceSummary): readonly RootCause[] {
  if (cause === 'fault') return summary.faultRootCauses;
  return cause === 'error' ? summary.errorRootCauses : summary.responseTimeRootCauses;
}

/** Values of one element of a path, by keyword. */
type Element = ReadonlyMap<Keyword, Value | undefined>;

/** The elements of a whole path, entry first, however many services it leads through. */
function elementsOf(element: RootCauseElement, { services }: RootCause): readonly Element[] {
  if (element === 'service') return services.map(serviceElement);
  const entities = services.flatMap((service) => service.entities);
  if (element === 'entity') return entities.map(entityElement);
  return entities.flatMap(({ exceptions }) => exceptions).map(exceptionElement);
}

function serviceElement({ service, inferred }: RootCauseService): Element {
  return new Map<Keyword, Value | undefined>([
    ['name', service.name],
    ['type', knownText(service.type)],
    ['inferred', inferred],
  ]);
}

function entityElement({ name, remote, coverage }: RootCauseEntity): Element {
  return new Map<Keyword, Value | undefined>([
    ['name', name],
    ['remote', remote],
    ['coverage', coverage],
  ]);
}

function exceptionElement({ name, message }: RootCauseEntity['exceptions'][number]): Element {
  return new Map<Keyword, Value | undefined>([
    ['name', name],
    ['message', message],
  ]);
}

/** Positions count from 0. */
function elementSubject(elements: readonly Element[], index: number): Subject {
  return {
    values(keyword) {
      if (keyword === 'first') return [index === 0];
      if (keyword === 'last') return [index === elements.length - 1];
      if (keyword === 'index') return [index];
      return present(elements[index]?.get(keyword));
    },
    annotation: () => [],
    term: refuseTerm,
  };
}

/** The parser lets no such term stand inside of braces. */
function refuseTerm(): boolean {
  return false;
}

/** An object fits a pattern that has some of its members; everything else must be equal. */
function fits(value: unknown, pattern: JsonPattern): boolean {
  if (pattern === null || typeof pattern !== 'object') return value === pattern;
  if (Array.isArray(pattern)) {
    return (
      Array.isArray(value) &&
      value.length === pattern.length &&
      pattern.every((element: JsonPattern, index) => fits(value[index], element))
    );
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const members = new Map<string, unknown>(Object.entries(value));
  return Object.entries(pattern).every(([member, wanted]) => members.has(member) && fits(members.get(member), wanted));
}
