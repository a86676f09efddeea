import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { resourceOf, testSpan } from '../../../test/support/span.ts';
import { SpanKind } from '../../model/index.ts';
import { compileCondition, contextOf, OttlError } from './index.ts';

const span = testSpan({
  name: 'GET /cart',
  kind: SpanKind.client,
  startTimeNs: 1_000_000_000n,
  endTimeNs: 1_250_000_000n,
  traceState: 'vendor=x,other=y',
  status: { code: 2, message: 'gone' },
  attributes: new Map<string, unknown>([
    ['http.route', '/healthz'],
    ['http.response.status_code', 503n],
    ['ratio', 0.5],
    ['ok', true],
    ['tags', ['a', 'b']],
    ['nested', new Map([['inner', 'deep']])],
  ]) as never,
  resource: resourceOf('shop'),
  events: [
    { name: 'exception', timeNs: 5n, attributes: new Map([['exception.type', 'IOError']]), droppedAttributesCount: 0 },
  ],
});

const holds = (text: string): boolean => compileCondition(text, 'span')(contextOf(span));

describe('a condition of OTTL', () => {
  for (const text of [
    'name == "GET /cart"',
    'span.name != "x"',
    'attributes["http.route"] == "/healthz"',
    'attributes["nested"]["inner"] == "deep"',
    'attributes["tags"][1] == "b"',
    'attributes["http.response.status_code"] >= 500 and status.code == STATUS_CODE_ERROR',
    'attributes["http.response.status_code"] > 502.5',
    'attributes["missing"] == nil',
    'not (attributes["ok"] == false)',
    'attributes["ok"]',
    'name == "x" or kind == SPAN_KIND_CLIENT',
    'name == "x" or name == "y" or true and kind == 3',
    '(end_time_unix_nano - start_time_unix_nano) / 1000000 == 250',
    '(end_time_unix_nano - start_time_unix_nano) >= 250000000',
    '1 + 2 * 3 == 7 and (1 + 2) * 3 == 9 and -1 < 0',
    'resource.attributes["service.name"] == "shop"',
    'IsMatch(name, "^GET")',
    'IsMatch(attributes["http.response.status_code"], "^5..$")',
    'not IsMatch(attributes["missing"], ".*")',
    'IsRootSpan()',
    'trace_state["vendor"] == "x"',
    'trace_id.string == "5759e988bd862e3fe1be46a994272793"',
    'trace_id == TraceID(0x5759e988bd862e3fe1be46a994272793)',
    'kind.string == "Client"',
    'Len(attributes["tags"]) == 2',
    'Concat(["a", "b"], "-") == "a-b"',
    'Split(name, " ")[1] == "/cart"',
    'ConvertCase(name, "lower") == "get /cart" and ToLowerCase(name) == "get /cart"',
    'HasPrefix(name, "GET") and HasSuffix(name, "cart")',
    'Substring(name, 0, 3) == "GET"',
    'Int("7") == 7 and Double("1.5") == 1.5 and String(7) == "7"',
    'Duration("250ms") == end_time_unix_nano - start_time_unix_nano',
    'IsString(name) and IsInt(kind) and IsBool(attributes["ok"]) and IsMap(attributes) and IsList(attributes["tags"]) and IsDouble(attributes["ratio"])',
    '"a" < "b"',
    'attributes["ok"] != "true"',
    '"a\\"b" == "a\\"b"',
  ]) {
    it(`is true: ${text}`, () => assert.equal(holds(text), true));
  }

  for (const text of [
    'name == "x"',
    'attributes["missing"] > 5',
    'attributes["ok"] == 1',
    'attributes["missing"]',
    '5 / 0 == 1',
  ]) {
    it(`is false: ${text}`, () => assert.equal(holds(text), false));
  }

  it('sees events in their own context', () => {
    const [event] = span.events;
    assert.equal(
      compileCondition(
        'name == "exception" and attributes["exception.type"] == "IOError"',
        'spanevent',
      )(contextOf(span, event)),
      true,
    );
    assert.equal(
      compileCondition('spanevent.name == "x" and span.name == "GET /cart"', 'spanevent')(contextOf(span, event)),
      false,
    );
  });

  for (const [text, message] of [
    ['nam == "x"', /nam is not a path; did you mean name\?/],
    ['ParseXML(name)', /function ParseXML is not implemented by Raybridge/],
    ['IsMach(name, "x")', /did you mean IsMatch\?/],
    ['IsMatch(name)', /IsMatch takes 2 arguments, got 1/],
    ['IsMatch(name, "(?=x)")', /look-around is not part of RE2/],
    ['name == ', /expected a value, got the end/],
    ['name == "x" name', /expected the end of the condition, got "name"/],
    ['kind == SPAN_KIND_CLEINT', /SPAN_KIND_CLEINT is not an enumeration/],
    ['name == `x`', /unexpected "`"/],
    ['(('.repeat(80), /nested too deep|expected a value/],
  ] as const) {
    it(`is refused: ${text.slice(0, 40)}`, () => {
      assert.throws(
        () => compileCondition(text, 'span'),
        (error: unknown) => error instanceof OttlError && message.test(error.message),
      );
    });
  }

  it('is compiled or refused with a place, whatever the text', () => {
    const words = fc.constantFrom(
      'name',
      'attributes["a"]',
      '==',
      '!=',
      '<',
      'and',
      'or',
      'not',
      '(',
      ')',
      '[',
      ']',
      '"x"',
      '1',
      '.5',
      'nil',
      'IsMatch(',
      ',',
      '+',
      '-',
      'kind',
      'SPAN_KIND_CLIENT',
      '0xab',
      '.',
      '`',
    );
    fc.assert(
      fc.property(fc.array(words, { maxLength: 12 }), (list) => {
        const text = list.join(' ');
        try {
          assert.equal(typeof compileCondition(text, 'span')(contextOf(span)), 'boolean');
        } catch (error) {
          if (!(error instanceof OttlError)) throw error;
          assert.ok(error.offset >= 0 && error.offset <= text.length);
        }
      }),
      { numRuns: 3000 },
    );
  });
});
