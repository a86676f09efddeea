/**
 * Conditions of SQL, put together of our own words: what comes from outside goes through a binder.
 * The simplest are kept simple, because the engine plans a query term by term.
 */

/** An expression of SQL. One that is a condition is 0 or 1. */
export type Sql = string;

export interface Binder {
  readonly parameters: Readonly<Record<string, string | bigint>>;
  text(value: string): Sql;
  number(value: number): Sql;
}

export function createBinder(): Binder {
  const parameters: Record<string, string | bigint> = {};
  const known = new Map<string | bigint, Sql>();
  const bind = (value: string | bigint, type: 'String' | 'UInt64'): Sql => {
    const name = `filter${known.size}`;
    const bound = known.get(value) ?? `{${name}:${type}}`;
    if (!known.has(value)) parameters[name] = value;
    known.set(value, bound);
    return bound;
  };
  return {
    parameters,
    text: (value) => bind(value, 'String'),
    // The engine reads decimal digits quickly but not exactly.
    number: (value) => `reinterpretAsFloat64(${bind(bitsOf(value), 'UInt64')})`,
  };
}

function bitsOf(value: number): bigint {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  return view.getBigUint64(0);
}

export const yes = '1';
export const no = '0';

export function and(conditions: readonly Sql[]): Sql {
  return conditions.includes(no) ? no : join('and', conditions, yes);
}

export function or(conditions: readonly Sql[]): Sql {
  return conditions.includes(yes) ? yes : join('or', conditions, no);
}

/** @param neutral the condition that changes nothing. */
function join(name: 'and' | 'or', conditions: readonly Sql[], neutral: Sql): Sql {
  const distinct = [...new Set(conditions)].filter((condition) => condition !== neutral);
  const [only = neutral, second] = distinct;
  return second === undefined ? only : `${name}(${distinct.join(', ')})`;
}

export function not(condition: Sql): Sql {
  if (condition === yes || condition === no) return condition === yes ? no : yes;
  return `not(${condition})`;
}

/** A skip index over the list helps, if there is one. */
export function contains(list: Sql, text: string, binder: Binder): Sql {
  // In a list of LowCardinality has() does not find the empty text.
  if (text === '') return someOf(list, (element) => `${element} = ${binder.text(text)}`);
  return `has(${list}, ${binder.text(text)})`;
}

/** Some element of one array. */
export function someOf(list: Sql, test: (element: Sql) => Sql): Sql {
  const element = createElement(list);
  return element.exists(test(element.of(list)));
}

/** An element of parallel arrays. */
export interface Element {
  /** Its value in one of them. */
  of(array: Sql): Sql;
  /** Some element satisfies the condition. */
  exists(condition: Sql): Sql;
  /** The values that the array which was named first has where the condition holds. */
  filter(condition: Sql): Sql;
}

export function createElement(first: Sql): Element {
  const names = new Map<Sql, Sql>([[first, 'e0']]);
  const lambda = (condition: Sql) =>
    `(${[...names.values()].join(', ')}) -> ${condition}, ${[...names.keys()].join(', ')}`;
  return {
    of(array) {
      const name = names.get(array) ?? `e${names.size}`;
      names.set(array, name);
      return name;
    },
    exists(condition) {
      if (condition === no) return no;
      return condition === yes ? `notEmpty(${first})` : `arrayExists(${lambda(condition)})`;
    },
    filter: (condition) => `arrayFilter(${lambda(condition)})`,
  };
}
