import { z } from 'zod';
import { noEffect } from '../config/schema.ts';
import { type Attributes, type Resource, type Scope, type Span, SpanKind } from '../model/index.ts';
import { toAttribute } from './actions.ts';
import { compilePattern } from './regex.ts';
import { textOf } from './text.ts';

/** `include` and `exclude` of the Collector's processors (specification: configuration 1.11). */

const named = z.strictObject({ key: z.string(), value: z.unknown().optional() });

const matchSchema = z
  .strictObject({
    match_type: z.enum(['strict', 'regexp'], { error: 'expected strict or regexp' }),
    services: z.array(z.string()).default([]),
    span_names: z.array(z.string()).default([]),
    span_kinds: z.array(z.string()).default([]),
    attributes: z.array(named).default([]),
    resources: z.array(named).default([]),
    libraries: z.array(z.strictObject({ name: z.string(), version: z.string().optional() })).default([]),
    regexp: noEffect(z.unknown().optional()),
  })
  .superRefine((match, context) => {
    const { services, span_names: names, span_kinds: kinds, attributes, resources, libraries } = match;
    if ([services, names, kinds, attributes, resources, libraries].every((list) => list.length === 0)) {
      context.addIssue({
        code: 'custom',
        message: 'needs services, span_names, span_kinds, attributes, resources or libraries',
      });
    }
    if (match.match_type !== 'regexp') return;
    for (const text of [...services, ...names]) {
      try {
        compilePattern(text);
      } catch (error) {
        context.addIssue({
          code: 'custom',
          message: `${JSON.stringify(text)} is no regular expression: ${error instanceof Error ? error.message : ''}`,
        });
      }
    }
  });

export const selection = {
  include: matchSchema.optional(),
  exclude: matchSchema.optional(),
} as const;

type MatchConfig = z.output<typeof matchSchema>;

/** Whether a span is processed: it fits `include`, when there is one, and not `exclude`. */
export function compileSelection({
  include,
  exclude,
}: {
  readonly include?: MatchConfig | undefined;
  readonly exclude?: MatchConfig | undefined;
}): (span: Span) => boolean {
  const includes = include && compileMatch(include);
  const excludes = exclude && compileMatch(exclude);
  return (span) => (includes?.(span) ?? true) && !(excludes?.(span) ?? false);
}

function compileMatch(config: MatchConfig): (span: Span) => boolean {
  const toTest = (text: string): ((found: string) => boolean) => {
    if (config.match_type === 'strict') return (found) => found === text;
    const pattern = compilePattern(text);
    return (found) => pattern.test(found);
  };
  const anyOf = (texts: readonly string[]): ((found: string) => boolean) | undefined => {
    const tests = texts.map(toTest);
    return tests.length === 0 ? undefined : (found) => tests.some((test) => test(found));
  };
  const service = anyOf(config.services);
  const name = anyOf(config.span_names);
  const kinds = config.span_kinds.map((kind) => kindOf(kind));
  const attributes = config.attributes.map((wanted) => compileNamed(wanted, toTest, config.match_type));
  const resources = config.resources.map((wanted) => compileNamed(wanted, toTest, config.match_type));
  const libraries = config.libraries.map(({ name: library, version }) => {
    const isName = toTest(library);
    return (scope: Scope) => isName(scope.name) && (version === undefined || scope.version === version);
  });
  return (span) =>
    (service?.(textOf(span.resource.attributes.get('service.name'))) ?? true) &&
    (name?.(span.name) ?? true) &&
    (kinds.length === 0 || kinds.includes(span.kind)) &&
    attributes.every((test) => test(span.attributes)) &&
    resources.every((test) => test(span.resource.attributes)) &&
    (libraries.length === 0 || libraries.some((test) => test(span.scope)));
}

function compileNamed(
  { key, value }: z.output<typeof named>,
  toTest: (text: string) => (found: string) => boolean,
  type: MatchConfig['match_type'],
): (attributes: Attributes) => boolean {
  if (value === undefined || value === null) return (attributes) => attributes.has(key);
  const wanted = toAttribute(value);
  if (typeof wanted === 'string') {
    const test = toTest(wanted);
    return (attributes) => {
      const found = attributes.get(key);
      return typeof found === 'string'
        ? test(found)
        : type === 'strict' && attributes.has(key) && textOf(found) === wanted;
    };
  }
  return (attributes) => attributes.has(key) && textOf(attributes.get(key)) === textOf(wanted);
}

const kindNames: ReadonlyMap<string, number> = new Map(
  Object.entries(SpanKind).map(([name, kind]) => [`SPAN_KIND_${name.toUpperCase()}`, kind]),
);

function kindOf(name: string): number {
  return kindNames.get(name.toUpperCase()) ?? -1;
}

/** Applies a change to each distinct resource of the spans once. */
export function createResourceChanger(change: (attributes: Attributes) => Attributes): (span: Span) => Span {
  const changed = new WeakMap<Resource, Resource>();
  return (span) => {
    let resource = changed.get(span.resource);
    if (!resource) {
      const attributes = change(span.resource.attributes);
      resource = attributes === span.resource.attributes ? span.resource : { ...span.resource, attributes };
      changed.set(span.resource, resource);
    }
    return resource === span.resource ? span : { ...span, resource };
  };
}
