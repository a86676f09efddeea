import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { fuzzing } from '../../test/support/fuzz.ts';
import { RaybridgeError } from '../errors.ts';
import { locksOut, parsePolicy } from './policy-document.ts';

const good = { Effect: 'Allow', Principal: '*', Action: 'xray:PutTraceSegments' };

function policy(statement: object | readonly object[], more: object = {}): string {
  return JSON.stringify({ Version: '2012-10-17', Statement: statement, ...more });
}

describe('a policy document', () => {
  for (const [what, text] of [
    ['one statement', policy(good)],
    ['a list of statements', policy([good, { ...good, Sid: 'Other' }])],
    ['no version', JSON.stringify({ Statement: good })],
    ['an id and the older version', policy(good, { Version: '2008-10-17', Id: 'mine' })],
    [
      'principals of each kind',
      policy({ ...good, Principal: { AWS: '*', Service: ['a', 'b'], Federated: 'c', CanonicalUser: 'd' } }),
    ],
    [
      'everything turned round',
      policy({ Effect: 'Deny', NotPrincipal: { AWS: '1' }, NotAction: ['*'], NotResource: 'arn' }),
    ],
    [
      'resource and condition',
      policy({ ...good, Resource: ['*'], Condition: { Bool: { 'aws:SecureTransport': 'true' } } }),
    ],
  ] as const) {
    it(`may have ${what}`, () => void parsePolicy(text));
  }

  for (const [what, text, message] of [
    ['no JSON', 'allow all', /^PolicyDocument: expected JSON: /],
    ['a list', '[]', 'the policy: expected an object'],
    ['no statement', '{}', 'Statement: expected an object'],
    ['no statement in the list', policy([]), 'Statement: expected at least one'],
    ['a statement that is a text', policy([good, 'x' as unknown as object]), 'Statement[1]: expected an object'],
    ['another version', policy(good, { Version: '2024-01-01' }), 'Version: expected 2012-10-17 or 2008-10-17'],
    [
      'an element that no policy has',
      policy(good, { statement: 1 }),
      /^PolicyDocument: the policy: expected Version, /,
    ],
    [
      'an element that no statement has',
      policy({ ...good, action: '*' }),
      /^PolicyDocument: Statement: expected Sid, /,
    ],
    ['no effect', policy({ ...good, Effect: undefined }), 'Statement.Effect: expected Allow or Deny'],
    ['another effect', policy([{ ...good, Effect: 'allow' }]), 'Statement[0].Effect: expected Allow or Deny'],
    [
      'no principal',
      policy({ ...good, Principal: undefined }),
      'Statement: expected Principal or NotPrincipal, and not both',
    ],
    [
      'both principals',
      policy({ ...good, NotPrincipal: '*' }),
      'Statement: expected Principal or NotPrincipal, and not both',
    ],
    ['a principal that is a name', policy({ ...good, Principal: 'me' }), 'Statement.Principal: expected an object'],
    [
      'no principal of any kind',
      policy({ ...good, Principal: {} }),
      'Statement.Principal: expected at least one principal',
    ],
    [
      'a principal of no kind',
      policy({ ...good, Principal: { User: 'me' } }),
      /^PolicyDocument: Statement.Principal: expected AWS, /,
    ],
    [
      'a principal without a name',
      policy({ ...good, Principal: { AWS: [] } }),
      'Statement.Principal.AWS: expected a string or a list of strings',
    ],
    ['no action', policy({ ...good, Action: undefined }), 'Statement: expected Action or NotAction, and not both'],
    [
      'an action of no service',
      policy({ ...good, Action: 'PutTraceSegments' }),
      'Statement.Action: expected actions such as xray:PutTraceSegments',
    ],
    [
      'an action that is a number',
      policy({ ...good, Action: [1] }),
      'Statement.Action: expected a string or a list of strings',
    ],
    [
      'both resources',
      policy({ ...good, Resource: '*', NotResource: '*' }),
      'Statement: expected Resource or NotResource, and not both',
    ],
    [
      'a resource that is none',
      policy({ ...good, Resource: [] }),
      'Statement.Resource: expected a string or a list of strings',
    ],
    ['a condition that is a text', policy({ ...good, Condition: 'always' }), 'Statement.Condition: expected an object'],
    [
      'a Sid twice',
      policy([
        { ...good, Sid: 'a' },
        { ...good, Sid: 'a' },
      ]),
      'Statement: expected every Sid once',
    ],
    ['a Sid that is a number', policy({ ...good, Sid: 1 }), 'Statement: Sid: expected a string'],
  ] as const) {
    it(`must not have ${what}`, () => {
      const whole = typeof message === 'string' ? `PolicyDocument: ${message}` : message;
      assert.throws(() => parsePolicy(text), { code: 'POLICY_MALFORMED', message: whole });
    });
  }

  it('is a policy or malformed, whatever it is', () => {
    const word = fc.constantFrom(
      ...Object.keys(good),
      'Version',
      'Statement',
      'AWS',
      '*',
      'Deny',
      'xray:*',
      '__proto__',
    );
    const value = fc.letrec<{ readonly any: unknown }>((tie) => ({
      any: fc.oneof({ depthSize: 'small' }, word, fc.integer(), fc.array(tie('any')), fc.dictionary(word, tie('any'))),
    })).any;
    fc.assert(
      fc.property(value, (document) => {
        try {
          locksOut(parsePolicy(JSON.stringify(document)));
        } catch (error) {
          assert.ok(error instanceof RaybridgeError && error.code === 'POLICY_MALFORMED');
        }
      }),
      fuzzing(300),
    );
  });

  for (const [statement, locked] of [
    [{ Effect: 'Deny', Principal: '*', Action: '*' }, true],
    [{ Effect: 'Deny', Principal: { AWS: ['1', '*'] }, Action: ['xray:Get*', 'XRAY:putresource*'] }, true],
    [{ Effect: 'Deny', Principal: '*', NotAction: 'xray:Get*' }, true],
    [{ Effect: 'Deny', Principal: '*', NotAction: 'xray:*' }, false],
    [{ Effect: 'Deny', Principal: '*', Action: 'xray:PutTraceSegments' }, false],
    [{ Effect: 'Deny', Principal: { AWS: '111122223333' }, Action: '*' }, false],
    [{ Effect: 'Deny', NotPrincipal: '*', Action: '*' }, false],
    [{ Effect: 'Deny', Principal: '*', Action: '*', Condition: { Bool: { x: 'true' } } }, false],
    [{ Effect: 'Allow', Principal: '*', Action: '*' }, false],
  ] as const) {
    it(`${locked ? 'locks everybody out' : 'locks nobody out'} with ${JSON.stringify(statement)}`, () => {
      assert.equal(locksOut(parsePolicy(policy([good, statement]))), locked);
    });
  }
});
