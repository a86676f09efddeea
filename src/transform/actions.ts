import { createHash } from 'node:crypto';
import { z } from 'zod';
import { refused } from '../config/schema.ts';
import type { Attributes, AttributeValue } from '../model/index.ts';
import { compilePattern, type TextPattern } from './regex.ts';
import { textOf } from './text.ts';

/** Actions on attributes, of the processors `attributes` and `resource` (specification: configuration 1.11). */

const actionNames = ['insert', 'update', 'upsert', 'delete', 'hash', 'extract', 'convert'] as const;

const notKept = 'cannot be done here: the queue keeps spans, and not the requests in which they came';

const plainValue = z.union(
  [
    z.string(),
    z.number(),
    z.boolean(),
    z.bigint(),
    z.array(z.union([z.string(), z.number(), z.boolean(), z.bigint()])),
  ],
  {
    error: 'expected text, a number, true, false or a list of them',
  },
);

const pattern = z.string().superRefine((text, context) => {
  try {
    compilePattern(text);
  } catch (error) {
    context.addIssue({
      code: 'custom',
      message: `is no regular expression: ${error instanceof Error ? error.message : ''}`,
    });
  }
});

export const actionSchema = z
  .strictObject({
    key: z.string().default(''),
    action: z
      .string()
      .toLowerCase()
      .pipe(z.enum(actionNames, { error: ({ input }) => `unsupported action ${JSON.stringify(input)}` })),
    value: plainValue.optional(),
    from_attribute: z.string().optional(),
    from_context: refused(notKept),
    default_value: plainValue.optional(),
    pattern: pattern.optional(),
    converted_type: z
      .enum(['int', 'double', 'string', 'boolean'], {
        error: ({ input }) => `expected int, double or string, got ${JSON.stringify(input)}`,
      })
      .optional(),
  })
  .superRefine((action, context) => {
    const complain = (message: string) => context.addIssue({ code: 'custom', message });
    const sets = ['insert', 'update', 'upsert'].includes(action.action);
    if (sets && action.value !== undefined && action.from_attribute !== undefined)
      complain('has more than one source of the value');
    if (sets && action.value === undefined && action.from_attribute === undefined)
      complain(`${action.action} needs a value or from_attribute`);
    if (action.action === 'extract' && action.pattern === undefined) complain('extract needs a pattern');
    if (action.action === 'convert' && action.converted_type === undefined) complain('convert needs a converted_type');
    if (action.key === '' && !(['delete', 'hash'].includes(action.action) && action.pattern !== undefined))
      complain('needs a key');
    if (action.action === 'extract' && action.pattern !== undefined) {
      const names = compilePattern(action.pattern).groupNames;
      if (names.length === 0 || names.includes(''))
        complain('extract needs a pattern whose groups all have names, such as (?P<name>.*)');
    }
  });

export type ActionConfig = z.output<typeof actionSchema>;

/** Gives the attributes themselves when nothing changes. */
export type ChangeAttributes = (attributes: Attributes) => Attributes;

export function compileActions(configs: readonly ActionConfig[]): ChangeAttributes {
  const actions = configs.map(compileAction);
  return (attributes) => {
    // Copied at the first change only: most spans have none.
    let changed: Map<string, AttributeValue> | undefined;
    const view: Editable = {
      get: (key) => (changed ?? attributes).get(key),
      has: (key) => (changed ?? attributes).has(key),
      keys: () => [...(changed ?? attributes).keys()],
      set: (key, value) => void (changed ??= new Map(attributes)).set(key, value),
      delete: (key) => void (changed ??= new Map(attributes)).delete(key),
    };
    for (const action of actions) action(view);
    return changed ?? attributes;
  };
}

interface Editable {
  get(key: string): AttributeValue;
  has(key: string): boolean;
  keys(): readonly string[];
  set(key: string, value: AttributeValue): void;
  delete(key: string): void;
}

function compileAction(config: ActionConfig): (attributes: Editable) => void {
  const { key, action } = config;
  switch (action) {
    case 'insert':
    case 'update':
    case 'upsert': {
      const source = sourceOf(config);
      return (attributes) => {
        if (action !== 'upsert' && attributes.has(key) !== (action === 'update')) return;
        const value = source(attributes);
        if (value !== undefined) attributes.set(key, value);
      };
    }
    case 'delete':
    case 'hash': {
      const keysOf = selectorOf(config);
      return (attributes) => {
        for (const name of keysOf(attributes)) {
          if (action === 'delete') attributes.delete(name);
          else attributes.set(name, hashOf(attributes.get(name)));
        }
      };
    }
    case 'extract':
      return extract(key, compilePattern(config.pattern ?? ''));
    case 'convert':
      return (attributes) => {
        if (!attributes.has(key)) return;
        const before = attributes.get(key);
        const after = convert(before, config.converted_type ?? 'string');
        if (after !== before) attributes.set(key, after);
      };
  }
}

function sourceOf({
  value,
  from_attribute: from,
  default_value: fallback,
}: ActionConfig): (attributes: Editable) => AttributeValue {
  const fixed = toAttribute(value);
  const otherwise = toAttribute(fallback);
  return from === undefined ? () => fixed : (attributes) => attributes.get(from) ?? otherwise;
}

/** Keys that are there. */
function selectorOf({ key, pattern: source }: ActionConfig): (attributes: Editable) => readonly string[] {
  const compiled = source === undefined ? undefined : compilePattern(source);
  return (attributes) => {
    if (!compiled) return attributes.has(key) ? [key] : [];
    return attributes.keys().filter((name) => name === key || compiled.test(name));
  };
}

function extract(key: string, compiled: TextPattern): (attributes: Editable) => void {
  return (attributes) => {
    const text = attributes.get(key);
    if (typeof text !== 'string') return;
    for (const [name, value] of Object.entries(compiled.groups(text) ?? {})) attributes.set(name, value ?? '');
  };
}

/** Whole numbers of YAML are int64. */
export function toAttribute(value: unknown): AttributeValue {
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value)) return value.map(toAttribute);
  return typeof value === 'string' || typeof value === 'boolean' || typeof value === 'bigint' ? value : undefined;
}

function hashOf(value: AttributeValue): string {
  const bytes = hashedBytes(value);
  return bytes ? createHash('sha256').update(bytes).digest('hex') : '';
}

function hashedBytes(value: AttributeValue): Uint8Array | undefined {
  if (typeof value === 'string') return Buffer.from(value);
  if (typeof value === 'boolean') return Uint8Array.of(value ? 1 : 0);
  const bytes = Buffer.alloc(8);
  if (typeof value === 'bigint') bytes.writeBigInt64LE(BigInt.asIntN(64, value));
  else if (typeof value === 'number') bytes.writeDoubleLE(value);
  else return undefined;
  return bytes;
}

/** What cannot be converted stays as it is. */
function convert(value: AttributeValue, type: 'int' | 'double' | 'string' | 'boolean'): AttributeValue {
  if (type === 'string') return textOf(value);
  if (type === 'boolean')
    return typeof value === 'string' && /^(?:true|false)$/i.test(value) ? /^true$/i.test(value) : value;
  const number = typeof value === 'boolean' ? Number(value) : typeof value === 'bigint' ? Number(value) : value;
  if (type === 'double') {
    const double = typeof number === 'string' && number.trim() !== '' ? Number(number) : number;
    return typeof double === 'number' && !Number.isNaN(double) ? double : value;
  }
  if (typeof value === 'bigint') return value;
  if (typeof number === 'number' && Number.isFinite(number)) return BigInt(Math.trunc(number));
  return typeof number === 'string' && /^[-+]?\d{1,19}$/.test(number) ? BigInt(number) : value;
}
