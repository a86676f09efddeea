import { keywordKey } from '../../model/index.ts';
import type { Comparison } from '../../query/index.ts';
import { and, type Binder, contains, type Element, no, not, or, someOf, type Sql, yes } from './condition.ts';

/** Values of a keyword or annotation: none, one or several. */
export interface Values {
  /** There is one. */
  readonly present: Sql;
  /** There is one that is not false. */
  readonly set: Sql;
  some(test: (value: Value) => Sql): Sql;
  /** Some value has this text: the same as `some`, in a form that may use an index. */
  hasText(text: string): Sql;
}

/** The forms in which a value can be compared. */
interface Value {
  readonly truth?: Sql;
  readonly number?: Sql;
  readonly text?: Sql;
}

export function compare(values: Values, comparison: Comparison | undefined, binder: Binder): Sql {
  if (!comparison) return values.set;
  const { operator, value: wanted } = comparison;
  switch (operator) {
    case '=':
      return equal(values, wanted, binder);
    case '!=':
      return and([values.present, not(equal(values, wanted, binder))]);
    case '<':
    case '<=':
    case '>':
    case '>=':
      return values.some(({ number }) => given(number, (sql) => `${sql} ${operator} ${binder.number(Number(wanted))}`));
    case 'CONTAINS':
      return values.some(({ text }) => given(text, (sql) => `position(${sql}, ${binder.text(String(wanted))}) > 0`));
    case 'BEGINSWITH':
      return values.some(({ text }) => given(text, (sql) => `startsWith(${sql}, ${binder.text(String(wanted))})`));
    case 'ENDSWITH':
      return values.some(({ text }) => given(text, (sql) => `endsWith(${sql}, ${binder.text(String(wanted))})`));
  }
}

function equal(values: Values, wanted: Comparison['value'], binder: Binder): Sql {
  if (typeof wanted === 'string') return values.hasText(wanted);
  if (typeof wanted === 'number') {
    return values.some(({ number }) => given(number, (sql) => `${sql} = ${binder.number(wanted)}`));
  }
  // Keywords have truth, and annotations text.
  return or([
    values.some(({ truth }) => given(truth, (sql) => (wanted ? sql : not(sql)))),
    values.hasText(String(wanted)),
  ]);
}

/** False for a value that has no such form. */
function given(form: Sql | undefined, test: (form: Sql) => Sql): Sql {
  return form === undefined ? no : test(form);
}

export function truthValue(truth: Sql): Values {
  return { present: yes, set: truth, some: (test) => test({ truth }), hasText: () => no };
}

/** @param present whether the value is there at all. */
export function numberValue(number: Sql, present: Sql): Values {
  return { present, set: present, some: (test) => and([present, test({ number })]), hasText: () => no };
}

export function textValue(text: Sql, present: Sql, binder: Binder): Values {
  return {
    present,
    set: present,
    some: (test) => and([present, test({ text })]),
    hasText: (wanted) => and([present, `${text} = ${binder.text(wanted)}`]),
  };
}

export function numberList(list: Sql): Values {
  const present = `notEmpty(${list})`;
  return { present, set: present, some: (test) => someOf(list, (number) => test({ number })), hasText: () => no };
}

export function textList(list: Sql, binder: Binder): Values {
  const present = `notEmpty(${list})`;
  return {
    present,
    set: present,
    some: (test) => someOf(list, (text) => test({ text })),
    hasText: (wanted) => contains(list, wanted, binder),
  };
}

/** Of a keyword that the parser lets nobody use here. */
export const noValues: Values = { present: no, set: no, some: () => no, hasText: () => no };

/** Empty is the same as not known. */
export function knownText(text: Sql, binder: Binder): Values {
  return textValue(text, `notEmpty(${text})`, binder);
}

/** The parallel arrays that hold keyed values. */
interface KeyedArrays {
  readonly key: Sql;
  readonly keyword: Sql;
  readonly text: Sql;
  readonly number: Sql;
  readonly isFalse: Sql;
}

export const attributeArrays: KeyedArrays = {
  key: 'attribute_key',
  keyword: 'attribute_keyword',
  text: 'attribute_text',
  number: 'attribute_number',
  isFalse: 'attribute_false',
};

export const callAnnotationArrays: KeyedArrays = {
  key: 'call_annotation_key',
  keyword: 'call_annotation_keyword',
  text: 'call_annotation_text',
  number: 'call_annotation_number',
  isFalse: 'call_annotation_false',
};

/** Where a key is looked for, and as what: under the key that a keyword can spell stands what comes to that spelling. */
export function searchFor(key: string, arrays: KeyedArrays): { readonly array: Sql; readonly keys: readonly string[] } {
  const keyword = keywordKey(key);
  return key === keyword ? { array: arrays.keyword, keys: [key] } : { array: arrays.key, keys: [key, keyword] };
}

/** @param some gives the condition that some element of the arrays satisfies a condition. */
export function annotationValues(
  key: string,
  arrays: KeyedArrays,
  binder: Binder,
  some: (condition: (element: Element) => Sql) => Sql,
): Values {
  const { array, keys } = searchFor(key, arrays);
  const withKey = (test: (element: Element) => Sql) =>
    some((element) => and([or(keys.map((one) => `${element.of(array)} = ${binder.text(one)}`)), test(element)]));
  return {
    present: withKey(() => yes),
    set: withKey((element) => not(element.of(arrays.isFalse))),
    some: (test) =>
      withKey((element) =>
        test({
          // Getters, so that only the array is read that the test asks for.
          get number() {
            return element.of(arrays.number);
          },
          get text() {
            return element.of(arrays.text);
          },
        }),
      ),
    hasText: (text) => withKey((element) => `${element.of(arrays.text)} = ${binder.text(text)}`),
  };
}
