/**
 * Conditions of the OpenTelemetry Transformation Language on spans and their events: the part of it
 * that filters need (specification: configuration 1.15).
 */
import type { Attributes, Span, SpanEvent } from '../../model/index.ts';
import { type OttlContext, type OttlValue, readPath } from './paths.ts';
import { callOf } from './functions.ts';
import { OttlError } from './lex.ts';
import { type Comparison, type Expression, parseCondition, type Value } from './parse.ts';

export { OttlError } from './lex.ts';
export type { OttlContext } from './paths.ts';

/** Throws OttlError where a value is not what a function takes; `error_mode` says what becomes of that. */
export type Condition = (context: OttlContext) => boolean;

/** Where the paths of a condition begin: `name` is `span.name` in `span`. */
export type ContextName = 'span' | 'spanevent' | 'resource' | 'scope';

/** @throws OttlError: the text is no condition, or names what is not there. */
export function compileCondition(text: string, context: ContextName): Condition {
  return compileExpression(parseCondition(text), context);
}

export function contextOf(span: Span, event?: SpanEvent): OttlContext {
  return { span, event };
}

type Evaluate = (context: OttlContext) => OttlValue;

function compileExpression(expression: Expression, name: ContextName): Condition {
  switch (expression.kind) {
    case 'or':
    case 'and': {
      const terms = expression.terms.map((term) => compileExpression(term, name));
      if (expression.kind === 'or') return (context) => terms.some((term) => term(context));
      return (context) => terms.every((term) => term(context));
    }
    case 'not': {
      const inner = compileExpression(expression.inner, name);
      return (context) => !inner(context);
    }
    case 'compare': {
      const [left, right] = [compileValue(expression.left, name), compileValue(expression.right, name)];
      return (context) => compare(left(context), right(context), expression.operator);
    }
    case 'value': {
      const value = compileValue(expression.value, name);
      return (context) => value(context) === true;
    }
  }
}

function compileValue(value: Value, name: ContextName): Evaluate {
  switch (value.kind) {
    case 'literal':
      return () => value.value;
    case 'list': {
      const items = value.items.map((item) => compileValue(item, name));
      return (context) => items.map((item) => item(context));
    }
    case 'enum': {
      const number = enums.get(value.name);
      if (number === undefined) throw new OttlError(`${value.name} is not an enumeration of spans`, value.offset);
      return () => number;
    }
    case 'path': {
      const read = readPath(value, name);
      return (context) => within(read(context), value.keys);
    }
    case 'call': {
      const call = callOf(value);
      const args = value.args.map((argument) => compileValue(argument, name));
      return (context) =>
        within(
          call(
            args.map((argument) => argument(context)),
            context,
          ),
          value.keys,
        );
    }
    case 'arithmetic': {
      const [left, right] = [compileValue(value.left, name), compileValue(value.right, name)];
      return (context) => calculate(left(context), right(context), value.operator);
    }
  }
}

const enums: ReadonlyMap<string, bigint> = new Map([
  ...['UNSPECIFIED', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'].map(
    (kind, i) => [`SPAN_KIND_${kind}`, BigInt(i)] as const,
  ),
  ...['UNSET', 'OK', 'ERROR'].map((code, i) => [`STATUS_CODE_${code}`, BigInt(i)] as const),
]);

/** The value behind keys of maps and places of lists; undefined where there is none. */
function within(value: OttlValue, keys: readonly (string | bigint)[]): OttlValue {
  let found = value;
  for (const key of keys) {
    if (found instanceof Map && typeof key === 'string') found = (found as Attributes).get(key);
    else if (Array.isArray(found) && typeof key === 'bigint') found = found[Number(key)];
    else return undefined;
  }
  return found;
}

function compare(left: OttlValue, right: OttlValue, operator: Comparison): boolean {
  const order = orderOf(left, right);
  if (order === undefined) return operator === '!=';
  switch (operator) {
    case '==':
      return order === 0;
    case '!=':
      return order !== 0;
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    case '>=':
      return order >= 0;
  }
}

/** Below, equal or above 0; undefined when the two cannot be compared, NaN when they can but have no order. */
function orderOf(left: OttlValue, right: OttlValue): number | undefined {
  if (isNumber(left) && isNumber(right)) {
    if (typeof left === typeof right) return left === right ? 0 : left < right ? -1 : 1;
    return Number(left) - Number(right);
  }
  if (typeof left === 'string' && typeof right === 'string')
    return Buffer.compare(Buffer.from(left), Buffer.from(right));
  if (typeof left === 'boolean' && typeof right === 'boolean') return Number(left) - Number(right);
  if (left instanceof Uint8Array && right instanceof Uint8Array) return Buffer.compare(left, right);
  return left === undefined && right === undefined ? 0 : undefined;
}

function isNumber(value: OttlValue): value is bigint | number {
  return typeof value === 'bigint' || typeof value === 'number';
}

function calculate(left: OttlValue, right: OttlValue, operator: '+' | '-' | '*' | '/'): OttlValue {
  if (!isNumber(left) || !isNumber(right)) return undefined;
  if (typeof left === 'bigint' && typeof right === 'bigint') {
    if (operator === '/') return right === 0n ? undefined : left / right;
    return operator === '+' ? left + right : operator === '-' ? left - right : left * right;
  }
  const [one, other] = [Number(left), Number(right)];
  if (operator === '/') return one / other;
  return operator === '+' ? one + other : operator === '-' ? one - other : one * other;
}
