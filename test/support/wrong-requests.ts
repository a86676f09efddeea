import { type AwsModel, type Shape, shapeOf } from './aws-model.ts';

/** A request with one thing wrong, and what it is. */
export interface WrongRequest {
  readonly what: string;
  readonly request: object;
}

/**
 * Everything that AWS's model says about a request, broken one by one: a required member left out, a
 * value of another type, too long, too short, too many, out of range, or none of the known ones.
 */
export function wrongRequests(model: AwsModel, shape: string, valid: object): readonly WrongRequest[] {
  const place = { shape: shapeOf(model, shape), value: valid, where: '' };
  return wrongMembers(model, place).map(({ what, value }) => ({ what, request: value }));
}

interface Place {
  readonly shape: Shape;
  readonly value: unknown;
  readonly where: string;
}

/** A value that makes the request wrong. */
interface WrongValue {
  readonly what: string;
  readonly value: unknown;
}

function wrongValues(model: AwsModel, place: Place): readonly WrongValue[] {
  const { shape, value, where } = place;
  const { min = 0, max } = shape;
  const wrong = (what: string, value: unknown): WrongValue => ({ what: `${where}: ${what}`, value });
  switch (shape.type) {
    case 'structure':
      return [wrong('a text', 'x'), wrong('a list', []), ...wrongMembers(model, place)];
    case 'list':
      return [wrong('a text', 'x'), wrong('an object', {}), ...wrongEntries(model, place)];
    case 'map':
      return [wrong('a text', 'x'), wrong('a list', []), ...wrongMapEntries(model, place)];
    case 'boolean':
      return [wrong('a text', 'yes'), wrong('a number', 1)];
    case 'string':
      return [
        wrong('a number', 7),
        wrong('an object', {}),
        ...(max === undefined ? [] : [wrong('too long', longer(value, max))]),
        ...(min > 0 ? [wrong('empty', '')] : []),
        ...(shape.enum || shape.pattern ? [wrong('none of the known', '!')] : []),
      ];
    default:
      return [
        wrong('a text', 'many'),
        wrong('an object', {}),
        ...(max === undefined ? [] : [wrong('too large', max + 1)]),
        ...(shape.min === undefined ? [] : [wrong('too small', min - 1)]),
        ...(shape.type === 'integer' || shape.type === 'long' ? [wrong('a fraction', 1.5)] : []),
      ];
  }
}

/** Longer than allowed, and otherwise as it was. */
function longer(value: unknown, max: number): string {
  return String(value ?? 'x').padEnd(max + 1, 'x');
}

function wrongMembers(
  model: AwsModel,
  { shape, value, where }: Place,
): readonly (WrongValue & { readonly value: object })[] {
  const { members = {}, required = [] } = shape;
  const known = new Map<string, unknown>(Object.entries(value ?? {}));
  const without = required
    .filter((name) => known.has(name))
    .map((name) => ({ what: `${where}.${name}: left out`, value: withMember(known, name, undefined) }));
  const changed = Object.entries(members).flatMap(([name, member]) => {
    const place = { shape: shapeOf(model, member.shape), value: known.get(name), where: `${where}.${name}` };
    return wrongValues(model, place).map(({ what, value }) => ({ what, value: withMember(known, name, value) }));
  });
  return [...without, ...changed];
}

function withMember(members: ReadonlyMap<string, unknown>, name: string, value: unknown): object {
  return Object.fromEntries(new Map(members).set(name, value));
}

function wrongEntries(model: AwsModel, { shape, value, where }: Place): readonly WrongValue[] {
  const [first, ...rest] = Array.isArray(value) ? value : [];
  const place = { shape: shapeOf(model, shape.member?.shape ?? ''), value: first, where: `${where}[0]` };
  const inside: WrongValue[] = wrongValues(model, place).map((wrong) => ({ ...wrong, value: [wrong.value, ...rest] }));
  const { min = 0, max } = shape;
  if (max !== undefined && first !== undefined) {
    inside.push({ what: `${where}: too many`, value: Array.from({ length: max + 1 }, () => first) });
  }
  if (min > 0) inside.push({ what: `${where}: empty`, value: [] });
  return inside;
}

function wrongMapEntries(model: AwsModel, { shape, where }: Place): readonly WrongValue[] {
  const key = shapeOf(model, shape.key?.shape ?? '');
  const place = { shape: shapeOf(model, shape.value?.shape ?? ''), value: undefined, where: `${where}.k` };
  const inside: WrongValue[] = wrongValues(model, place).map((wrong) => ({ ...wrong, value: { k: wrong.value } }));
  if (key.max !== undefined) {
    inside.push({ what: `${where}: a key too long`, value: Object.fromEntries([['k'.repeat(key.max + 1), 'v']]) });
  }
  if (shape.max !== undefined) {
    const many = Array.from({ length: shape.max + 1 }, (_, i) => [`k${i}`, 'v']);
    inside.push({ what: `${where}: too many`, value: Object.fromEntries(many) });
  }
  return inside;
}
