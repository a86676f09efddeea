/** What can be read off a zod schema: its keys, what its members want, what stands at a path. */
import { z } from 'zod';
import { marks } from './schema.ts';
import type { Path } from './tree.ts';

/** Of the value at a path; undefined when the schema says nothing about it. */
export function schemaAt(schema: z.ZodType, path: Path): z.ZodType | undefined {
  let target: z.ZodType | undefined = unwrap(schema);
  for (const step of path) {
    if (!target) return undefined;
    const next: z.ZodType | undefined =
      typeof step === 'number' && target instanceof z.ZodArray ? elementOf(target) : memberSchema(target, String(step));
    target = next && unwrap(next);
  }
  return target;
}

/** Keys a schema knows by name, for proposals. */
export function knownKeys(target: z.ZodType): readonly string[] {
  if (target instanceof z.ZodUnion) return optionsOf(target).flatMap((option) => knownKeys(unwrap(option)));
  if (!(target instanceof z.ZodObject)) return [];
  return Object.keys(target.shape).filter((name) => {
    const member = memberSchema(target, name);
    return !member || !layers(member).some((layer) => marks.get(layer)?.effect === 'refused');
  });
}

export function memberSchema(target: z.ZodType, name: string): z.ZodType | undefined {
  if (target instanceof z.ZodObject) {
    return Object.hasOwn(target.shape, name) ? asSchema(target.shape[name]) : undefined;
  }
  if (target instanceof z.ZodRecord) return asSchema(target.valueType);
  if (!(target instanceof z.ZodUnion)) return undefined;
  return optionsOf(target)
    .map((option) => memberSchema(unwrap(option), name))
    .find((found) => found !== undefined);
}

/** A loose object; its unknown keys are warnings. */
export function takesOtherKeys(target: z.ZodType): boolean {
  return target instanceof z.ZodObject && target.def.catchall instanceof z.ZodUnknown;
}

export function takesText(target: z.ZodType): boolean {
  if (target instanceof z.ZodUnion) return optionsOf(target).every((option) => takesText(unwrap(option)));
  if (target instanceof z.ZodLiteral) return [...target.values].every((value) => typeof value === 'string');
  return target instanceof z.ZodString || target instanceof z.ZodStringFormat || target instanceof z.ZodEnum;
}

export function acceptsNull(schema: z.ZodType): boolean {
  return layers(schema).some((layer) => layer instanceof z.ZodNullable || layer instanceof z.ZodNull);
}

/** What a schema asks of its input, without its wrappers. */
export function unwrap(schema: z.ZodType): z.ZodType {
  return layers(schema).at(-1) ?? schema;
}

const layersMax = 20;

/** A schema and what it wraps, outermost first. */
export function layers(schema: z.ZodType): readonly z.ZodType[] {
  const found = [schema];
  for (let inner = wrapped(schema); inner && found.length < layersMax; inner = wrapped(inner)) found.push(inner);
  return found;
}

function wrapped(schema: z.ZodType): z.ZodType | undefined {
  if (schema instanceof z.ZodPipe) return asSchema(schema.in instanceof z.ZodTransform ? schema.out : schema.in);
  if (schema instanceof z.ZodLazy) return asSchema(schema.unwrap());
  const wraps =
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodNullable ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodCatch ||
    schema instanceof z.ZodReadonly ||
    schema instanceof z.ZodNonOptional;
  return wraps ? asSchema(schema.unwrap()) : undefined;
}

export function elementOf(target: z.ZodArray): z.ZodType | undefined {
  return asSchema(target.element);
}

function optionsOf(target: z.ZodUnion): readonly z.ZodType[] {
  return target.options.flatMap((option) => asSchema(option) ?? []);
}

/** zod types what a schema holds as its core type; every schema made with `z` is a ZodType. */
function asSchema(schema: unknown): z.ZodType | undefined {
  return schema instanceof z.ZodType ? schema : undefined;
}

export function isWholeNumber(target: z.ZodType | undefined): boolean {
  return target instanceof z.ZodNumber && target.isInt;
}
